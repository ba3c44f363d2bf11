import { Duplex } from 'node:stream';
import type { ReadableWritablePair } from 'node:stream/web';

import { checkSignal, invalidArgument, optionsOf, reading, wrongThis } from '../check/option.js';
import type { ImageInput } from '../image/input.js';
import { sourceOf } from '../image/source.js';
import { aborted, runKeys, type RunOptions } from '../native/jobs.js';
import type { Scheduler } from './scheduler.js';
import { onAbort } from './signals.js';
import type { PipelineStats } from './stats.js';
import {
  settleEach,
  streamOptions,
  type StreamItem,
  type StreamOptions,
  type StreamResult,
} from './stream.js';
import { webStreamsOf } from './web-streams.js';

/** The constructor's first argument, which no other code has. */
const key = Symbol('Pipeline');

/** Creates a pipeline. For the rest of the package: index.ts does not export it. */
export let pipelineOf: <R>(start: (owner: object) => Scheduler<R>) => Pipeline<R>;

/**
 * One queue for many callers: decodes images, computes them in batches, and gives each its result. Created by
 * {@link GhostNet.pipeline}.
 *
 * @example
 * ```ts
 * const pipeline = model.pipeline({ topK: 1, maxQueue: 512 });
 * const [best] = await pipeline.run('photo.jpg');
 * await pipeline.close();
 * ```
 */
export class Pipeline<R> {
  readonly #scheduler: Scheduler<R>;

  static {
    pipelineOf = (start) => new Pipeline(key, start);
  }

  private constructor(given: symbol, start: (owner: object) => Scheduler<R>) {
    if (given !== key) {
      throw invalidArgument('A Pipeline cannot be created with new', given, 'model.pipeline()');
    }
    this.#scheduler = start(this);
  }

  /**
   * Computes the result of one image. The signal settles the promise at once: an image that waits leaves the queue, one that is
   * being decoded is abandoned. Continuations keep the caller's AsyncLocalStorage.
   *
   * @throws {@link GhostNetError} `GHOSTNET_QUEUE_FULL`, `GHOSTNET_TIMEOUT`, `GHOSTNET_CLOSED`, `GHOSTNET_ABORTED`,
   * `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_IMAGE_TOO_LARGE`, `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`,
   * `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_OUT_OF_MEMORY`
   */
  async run(image: ImageInput, options: RunOptions = {}): Promise<R> {
    const scheduler = Pipeline.#of(this);
    const { signal } = optionsOf(options, runKeys);
    checkSignal(signal);
    const source = reading(() => sourceOf(image));
    return scheduler.submit(source, { signal });
  }

  /**
   * Computes the results of many images, in their order or as they come. It reads its source no further ahead than keeps the
   * pipeline busy, and never further than `maxQueue`. An image that fails becomes an item with `error`; the others go on. Leaving
   * the loop, or an abort, stops the source and abandons what has begun.
   *
   * @param images - images, or objects with an `image` and whatever else belongs to it, which come back as `input`
   * @throws {@link GhostNetError} `GHOSTNET_ABORTED`, `GHOSTNET_CLOSED`, `GHOSTNET_DISPOSED`, `GHOSTNET_INVALID_ARGUMENT`; and
   * what the source throws
   */
  stream<T extends StreamItem>(
    images: Iterable<T> | AsyncIterable<T>,
    options: StreamOptions = {},
  ): AsyncGenerator<StreamResult<T, R>, void, void> {
    return settleEach(Pipeline.#of(this), images, options);
  }

  /** {@link Pipeline.stream} as a Node stream in object mode: write images, read results. For `stream.pipeline()`. */
  duplex(given: StreamOptions = {}): Duplex {
    const { lookAhead } = Pipeline.#of(this);
    const options = streamOptions(given);
    const duplex = Duplex.from((images: AsyncIterable<StreamItem>) => this.stream(images, options));
    // Also while nobody reads.
    const { signal } = options;
    if (signal !== undefined) {
      const unlisten = onAbort(signal, (reason) => duplex.destroy(aborted(reason)));
      duplex.once('close', unlisten);
    }
    return duplex.setMaxListeners(Math.max(lookAhead, 10));
  }

  /** {@link Pipeline.stream} as a pair of web streams, for `readable.pipeThrough()`. */
  transformStream(given: StreamOptions = {}): ReadableWritablePair<StreamResult<StreamItem, R>, StreamItem> {
    Pipeline.#of(this);
    const options = streamOptions(given);
    return webStreamsOf((images, signal) => this.stream(images, { ...options, signal }), options.signal);
  }

  /** Counts, the length of the queue, the sizes of batches, and times. */
  stats(): PipelineStats {
    return Pipeline.#of(this).stats();
  }

  /** Takes no more images, and resolves when all that were taken have settled. Later calls reject with `GHOSTNET_CLOSED`. */
  async close(): Promise<void> {
    await Pipeline.#of(this).close();
  }

  /**
   * Rejects all images with `GHOSTNET_CLOSED`, and resolves when no thread works for them any more.
   *
   * @param reason - the `cause` of the errors
   */
  async destroy(reason?: unknown): Promise<void> {
    await Pipeline.#of(this).destroy(reason);
  }

  /** As {@link Pipeline.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Pipeline.#of(this).close();
  }

  static #of<T>(value: Pipeline<T>): Scheduler<T> {
    const isObject = typeof value === 'object' && (value as unknown) !== null;
    if (isObject && #scheduler in value) return value.#scheduler;
    throw wrongThis('Pipeline', value);
  }
}
