import type { Redis } from 'ioredis';

import { invalidArgument } from '../check/option.js';
import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import type { ResultRow, ResultSink } from './row.js';

/** A hash of Redis: a field for each key, whose value is the row as JSON. */
export class RedisHash implements ResultSink {
  readonly name: string;
  readonly #client: Redis;
  readonly #hash: string;

  private constructor(client: Redis, hash: string) {
    this.#client = client;
    this.#hash = hash;
    this.name = `the Redis hash ${hash}`;
  }

  /**
   * Checks that the key is free or has a hash, and is none of a queue.
   *
   * @param client - stays the caller's, who closes it
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_SERVICE_FAILED`
   */
  static async open(client: Redis, hash: string): Promise<RedisHash> {
    if (hash === '' || /^(bull|ghostnet):/.test(hash))
      throw invalidArgument(
        'Results cannot be in this key of Redis',
        hash,
        'a key that does not begin as those of queues',
      );
    const kind = await client.type(hash);
    if (kind === 'none' || kind === 'hash') return new RedisHash(client, hash);
    throw invalidArgument('The key of Redis for results has something else', kind, 'a hash, or nothing');
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
