import type { GhostNetError } from '../errors.js';
import { aborted } from '../native/jobs.js';

/** How long work may take, and the error when it takes longer. */
export interface TimeLimit {
  readonly milliseconds: number;
  readonly error: () => GhostNetError;
}

/**
 * Runs work with a signal that fires with the caller's, or when the time is over.
 *
 * @throws the error of the limit when the time is over, whatever the work makes of its signal; and what the work throws
 */
export async function withinTime<T>(
  { milliseconds, error }: TimeLimit,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  let late: GhostNetError | undefined;
  const timer = setTimeout(() => {
    late = error();
    end.abort(late);
  }, milliseconds);
  const abort = (): void => {
    end.abort(signal?.reason);
  };
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  try {
    return await work(end.signal);
  } catch (thrown) {
    throw late ?? thrown;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/**
 * The result of work that cannot be ended: the promise settles as soon as the signal fires, and the work goes on unseen.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED`; and what the work throws
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(aborted(signal.reason));
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
