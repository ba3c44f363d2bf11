import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';

import { GhostNetError } from '../errors.js';
import {
  JsonLinesFile,
  PostgresTable,
  RedisHash,
  type ResultRow,
  type ResultSink,
} from '../results/index.js';
import { asGhostNetError } from './verdict.js';
import type { ResultsOption } from './worker-options.js';

/** @throws {@link GhostNetError} if the place cannot be written */
export async function openSink(option: ResultsOption, client: Redis): Promise<ResultSink> {
  if ('file' in option) return JsonLinesFile.open(option.file);
  if ('redisHash' in option) return RedisHash.open(client, option.redisHash);
  if ('postgres' in option) return PostgresTable.open({ url: option.postgres, table: option.table });
  return option;
}

const firstPauseMs = 200;
const longestPauseMs = 5_000;

/** Hears when results cannot be written, once until they can be again. */
interface StoreListener {
  readonly onDown: (error: GhostNetError) => void;
  readonly onUp: () => void;
}

/** Writes results, and keeps on trying while their place cannot be reached: that is no fault of the images. */
export class Store {
  readonly #sink: ResultSink;
  readonly #listener: StoreListener;
  #isDown = false;

  constructor(sink: ResultSink, listener: StoreListener) {
    this.#sink = sink;
    this.#listener = listener;
  }

  has(key: string): boolean {
    return this.#sink.has?.(key) ?? false;
  }

  /** @throws the reason of the signal; what a sink throws that another attempt would not change */
  async write(row: ResultRow, signal: AbortSignal): Promise<boolean> {
    for (let failures = 0; ; failures++) {
      try {
        const isNew = await this.#sink.write(row);
        if (this.#isDown) this.#listener.onUp();
        this.#isDown = false;
        return isNew;
      } catch (cause) {
        const error = asGhostNetError(cause);
        if (error.code !== 'GHOSTNET_SERVICE_FAILED' && error.code !== 'GHOSTNET_FILE_UNWRITABLE')
          throw error;
        if (!this.#isDown) this.#listener.onDown(error);
        this.#isDown = true;
      }
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 8));
      await sleep(pause, undefined, { signal });
    }
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}
