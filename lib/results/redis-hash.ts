import type { Redis } from 'ioredis';

import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import type { ResultRow, ResultSink } from './row.js';

/** A hash of Redis: a field for each key, whose value is the row as JSON. */
export class RedisHash implements ResultSink {
  readonly name: string;
  readonly #client: Redis;
  readonly #hash: string;

  /** @param client - stays the caller's, who closes it */
  constructor(client: Redis, hash: string) {
    this.#client = client;
    this.#hash = hash;
    this.name = `the Redis hash ${hash}`;
  }

  async write(row: ResultRow): Promise<boolean> {
    try {
      return (await this.#client.hsetnx(this.#hash, row.key, JSON.stringify(row))) === 1;
    } catch (cause) {
      throw new GhostNetError('GHOSTNET_SERVICE_FAILED', `Results cannot be written to ${this.name}`, {
        found: messageOf(cause),
        cause,
      });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
