import { GhostNetError } from './errors.js';
import { native, type Ticket } from './native.js';

let lastTicket = 0;

/**
 * Starts a native job under a ticket of its own. While the job waits, the signal can drop it.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED` when the signal fires before the job has begun
 */
export async function runJob<T>(
  signal: AbortSignal | undefined,
  start: (ticket: Ticket) => Promise<T>,
): Promise<T> {
  if (signal?.aborted === true) throw aborted(signal);
  const ticket = ++lastTicket;
  if (signal === undefined) return start(ticket);
  const onAbort = (): void => {
    native().abort(ticket, aborted(signal));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await start(ticket);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The error of a call whose signal has fired. */
export function aborted(signal: AbortSignal): GhostNetError {
  return new GhostNetError('GHOSTNET_ABORTED', 'The call was aborted before its work began', {
    cause: signal.reason,
  });
}
