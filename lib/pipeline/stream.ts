import { setImmediate as nextTurn } from 'node:timers/promises';

import { checkFlag, checkSignal, invalidArgument, optionsOf, reading, type KeysOf } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import type { ImageInput } from '../image/input.js';
import { sourceOf } from '../image/source.js';
import { aborted } from '../native/jobs.js';
import { Flight } from './flight.js';
import type { Scheduler } from './scheduler.js';
import { onAbort } from './signals.js';

/** An image of a stream, alone or with whatever else belongs to it. */
export type StreamItem = ImageInput | { readonly image: ImageInput };

/** Options of {@link Pipeline.stream}. */
export interface StreamOptions {
  /** Whether results come in the order of the images, the default, or each as soon as it is there. */
  readonly ordered?: boolean;
  /** Ends the stream. */
  readonly signal?: AbortSignal;
}

const streamKeys = { ordered: true, signal: true } as const satisfies KeysOf<StreamOptions>;

/** The outcome for one image of a stream. */
export type StreamResult<T, R> =
  | { readonly input: T; readonly result: R; readonly error?: undefined }
  | { readonly input: T; readonly result?: undefined; readonly error: GhostNetError };

/** How long results may follow each other before the event loop has its turn, in milliseconds. */
const turnMs = 10;

/** The options of a stream, read once. @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function streamOptions(given: StreamOptions): StreamOptions {
  const options = optionsOf(given, streamKeys);
  checkSignal(options.signal);
  checkFlag('ordered', options.ordered);
  return options;
}

/** The results of many images; see {@link Pipeline.stream}. */
export async function* settleEach<T extends StreamItem, R>(
  scheduler: Scheduler<R>,
  images: Iterable<T> | AsyncIterable<T>,
  given: StreamOptions,
  topK?: number,
): AsyncGenerator<StreamResult<T, R>, void, void> {
  const options = streamOptions(given);
  const iterator = iteratorOf(images);
  const stop = new AbortController();
  const caller = {};
  const { ordered = true } = options;
  const { lookAhead } = scheduler;
  const flight = new Flight<StreamResult<T, R>>(ordered);
  /** `end`: nothing more is pulled, and once all results are taken, its error is thrown, if it has one. */
  const source: { isPulling: boolean; end?: { readonly error?: unknown } } = { isPulling: false };
  const end = (error?: unknown): void => {
    source.end ??= { error };
    flight.wake();
  };

  const take = (pulled: IteratorResult<T>): void => {
    if (pulled.done === true) {
      end();
      return;
    }
    const input = pulled.value;
    let result: Promise<R>;
    try {
      const submission = { signal: stop.signal, caller, topK, waits: true };
      result = scheduler.submit(
        reading(() => sourceOf(imageOf(input))),
        submission,
      );
    } catch (error) {
      // What the pipeline has taken is finished, even if it takes no more.
      if (scheduler.isOver || !(error instanceof GhostNetError)) end(error);
      else flight.add(Promise.resolve({ input, error }));
      return;
    }
    flight.add(
      result.then(
        (value) => ({ input, result: value }),
        (error: unknown) => {
          const isOver = error instanceof GhostNetError && error.code === 'GHOSTNET_CLOSED';
          if (isOver || !(error instanceof GhostNetError)) throw error;
          return { input, error };
        },
      ),
    );
  };
  const pull = (): void => {
    let pulled: ReturnType<typeof iterator.next>;
    try {
      pulled = iterator.next();
    } catch (error) {
      end(error);
      return;
    }
    if (typeof pulled !== 'object' || (pulled as unknown) === null) {
      end(
        invalidArgument('The images are not iterable', pulled, 'an iterator whose next() returns an object'),
      );
      return;
    }
    if (!isPromise(pulled)) {
      take(pulled);
      return;
    }
    source.isPulling = true;
    pulled.then(
      (value) => {
        source.isPulling = false;
        if (source.end === undefined) take(value);
        flight.wake();
      },
      (error: unknown) => {
        source.isPulling = false;
        end(error);
      },
    );
  };

  const unlisten = [scheduler.onEnding(end)];
  if (options.signal !== undefined) {
    unlisten.push(
      onAbort(options.signal, (reason) => {
        flight.fail(aborted(reason));
      }),
    );
  }
  let turnEnd = performance.now() + turnMs;
  try {
    if (options.signal?.aborted === true) throw aborted(options.signal.reason);
    for (;;) {
      while (source.end === undefined && !source.isPulling && flight.size < lookAhead) pull();
      const landed = flight.take();
      if (landed !== undefined) {
        // Images that are refused are there at once: neither a signal nor a timer would ever be heard beside them.
        if (performance.now() > turnEnd) {
          await nextTurn();
          turnEnd = performance.now() + turnMs;
        }
        yield landed;
        continue;
      }
      if (source.end !== undefined && flight.size === 0) {
        if (source.end.error !== undefined) throw source.end.error as Error;
        return;
      }
      await flight.news();
    }
  } finally {
    for (const end of unlisten) end();
    stop.abort();
    // Not awaited: a source that waits for its next image would hold up the caller.
    if (source.end === undefined || source.isPulling) {
      void Promise.resolve(iterator.return?.()).catch(() => undefined);
    }
  }
}

type AnyIterator<T> = Iterator<T> | AsyncIterator<T>;

function iteratorOf<T>(images: Iterable<T> | AsyncIterable<T>): AnyIterator<T> {
  const source = images as Partial<Iterable<T> & AsyncIterable<T>> | null | undefined;
  // A string is iterable, but its characters are no images.
  if (source !== null && source !== undefined && typeof source !== 'string') {
    const begin = reading(() => source[Symbol.asyncIterator] ?? source[Symbol.iterator]);
    const iterator =
      typeof begin === 'function' ? (begin as (this: unknown) => AnyIterator<T>).call(source) : undefined;
    if (typeof iterator === 'object' && (iterator as unknown) !== null) return iterator;
  }
  throw invalidArgument(
    'The images are not iterable',
    images,
    'an array, an iterable or an async iterable of images',
  );
}

function imageOf(item: StreamItem): ImageInput {
  const isPair = typeof item === 'object' && (item as unknown) !== null && 'image' in item;
  return isPair ? item.image : (item as ImageInput);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === 'function';
}
