import { ReadableStream, WritableStream, type ReadableWritablePair } from 'node:stream/web';

import { aborted } from '../native/jobs.js';
import { onAbort } from './signals.js';

/** Results of images, ended early by the signal. */
type Settle<T, Result> = (
  images: AsyncIterable<T>,
  signal: AbortSignal,
) => AsyncGenerator<Result, void, void>;

/**
 * A pair of web streams: images are written to one, results are read from the other. An error or the end of one is that of the
 * other.
 *
 * Neither `Duplex.toWeb()` nor a TransformStream does that: with the first, a write waits for ever once the reader has cancelled;
 * with the second, an abort waits for the write before it.
 */
export function webStreamsOf<T, Result>(
  settle: Settle<T, Result>,
  signal?: AbortSignal,
): ReadableWritablePair<Result, T> {
  const inbox = new Inbox<T>();
  const stop = new AbortController();
  const results = settle(inbox, stop.signal);
  let unlisten = (): void => undefined;
  const end = (reason: unknown): void => {
    unlisten();
    stop.abort(reason);
    inbox.fail(reason);
  };
  const readable = new ReadableStream<Result>(
    {
      start(controller) {
        if (signal === undefined) return;
        const abort = (reason: unknown): void => {
          const error = aborted(reason);
          end(error);
          controller.error(error);
        };
        if (signal.aborted) abort(signal.reason);
        // Also while nobody reads.
        else unlisten = onAbort(signal, abort);
      },
      async pull(controller) {
        try {
          const { done, value } = await results.next();
          if (done !== true) {
            controller.enqueue(value);
            return;
          }
          unlisten();
          controller.close();
        } catch (error) {
          end(error);
          throw error;
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
  return { readable, writable: inbox.writable };
}

/** Hands images over from writes to reads, one at a time: what waits is in the queue of the pipeline. */
class Inbox<T> implements AsyncIterable<T> {
  readonly writable: WritableStream<T>;
  #controller: WritableStreamDefaultController | undefined;
  /** A write that waits for a read, or a read that waits for a write. */
  #write:
    { readonly image: T; readonly taken: () => void; readonly failed: (reason: unknown) => void } | undefined;
  #read:
    | { readonly given: (image: IteratorResult<T, void>) => void; readonly failed: (reason: unknown) => void }
    | undefined;
  #end: { readonly isFailed: false } | { readonly isFailed: true; readonly reason: Error } | undefined;

  constructor() {
    this.writable = new WritableStream<T>({
      start: (controller) => {
        this.#controller = controller;
        // Fires at once, unlike the sink's abort(), which waits for the write. The types of Node do not have it yet.
        const { signal } = controller as unknown as { signal: AbortSignal };
        signal.addEventListener('abort', () => {
          this.#settle(signal.reason);
        });
      },
      write: (image) => this.#give(image),
      close: () => {
        this.#end ??= { isFailed: false };
        this.#read?.given({ done: true, value: undefined });
      },
    });
  }

  /** Fails the write that waits, and all later ones. */
  fail(reason: unknown): void {
    if (this.#settle(reason)) this.#controller?.error(reason);
  }

  /** Fails the write and the read that wait. @returns whether the end had not come before */
  #settle(reason: unknown): boolean {
    if (this.#end !== undefined) return false;
    // Whatever a caller gives as a reason reaches the other end.
    this.#end = { isFailed: true, reason: reason as Error };
    this.#write?.failed(reason);
    this.#read?.failed(reason);
    return true;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, void> {
    return { next: () => this.#next() };
  }

  #give(image: T): Promise<void> | undefined {
    const read = this.#read;
    if (read !== undefined) {
      this.#read = undefined;
      read.given({ done: false, value: image });
      return undefined;
    }
    return new Promise((taken, failed) => {
      this.#write = { image, taken, failed };
    });
  }

  #next(): Promise<IteratorResult<T, void>> {
    if (this.#end?.isFailed === true) return Promise.reject(this.#end.reason);
    return new Promise((given, failed) => {
      const write = this.#write;
      if (write !== undefined) {
        this.#write = undefined;
        write.taken();
        given({ done: false, value: write.image });
      } else if (this.#end !== undefined) {
        given({ done: true, value: undefined });
      } else {
        this.#read = { given, failed };
      }
    });
  }
}
