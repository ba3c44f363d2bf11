import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Work that pauses at each `yield`. Parsing, copying and counting run on JavaScript's thread, and a hostile file, or just a large
 * one, has much of them to do.
 */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** How long the event loop waits at a time, in milliseconds, apart from what is done between two pauses. */
const sliceMs = 8;

/** Does work without a pause. */
export function finish<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Does work in slices, between which the event loop goes on. @throws the reason of the signal */
export async function inSlices<T>(work: Sliced<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    const end = performance.now() + sliceMs;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
    await nextTurn();
  }
}
