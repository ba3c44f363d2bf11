import { GhostNetError } from './errors.js';
import { native, type Ticket } from './native.js';

// One listener a signal, however many jobs wait under it: Node takes many listeners for a leak, and says so.
const waiting = new WeakMap<AbortSignal, Set<Ticket>>();

/**
 * Starts a native job under a ticket of its own. While the job waits, the signal can drop it.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED` when the signal fires before the job has begun;
 * `GHOSTNET_INVALID_ARGUMENT` when it is no signal
 */
export async function runJob<T>(
  signal: AbortSignal | undefined,
  start: (ticket: Ticket) => Promise<T>,
): Promise<T> {
  const ticket = native().newTicket();
  if (signal === undefined) return start(ticket);
  throwIfAborted(signal);
  const tickets = waiting.get(signal) ?? listen(signal);
  tickets.add(ticket);
  try {
    return await start(ticket);
  } finally {
    tickets.delete(ticket);
    if (tickets.size === 0) unlisten(signal);
  }
}

/**
 * Refuses to begin what was called off already.
 *
 * @throws {@link GhostNetError} as {@link runJob}
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (!((signal as unknown) instanceof AbortSignal)) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The option signal is no AbortSignal', {
      found: `a value of type ${typeof signal}`,
      expected: 'the signal of an AbortController',
    });
  }
  if (signal.aborted) throw aborted(signal);
}

function listen(signal: AbortSignal): Set<Ticket> {
  const tickets = new Set<Ticket>();
  waiting.set(signal, tickets);
  signal.addEventListener('abort', onAbort);
  return tickets;
}

function unlisten(signal: AbortSignal): void {
  waiting.delete(signal);
  signal.removeEventListener('abort', onAbort);
}

function onAbort(this: AbortSignal): void {
  for (const ticket of waiting.get(this) ?? []) native().abort(ticket, aborted(this));
}

function aborted(signal: AbortSignal): GhostNetError {
  return new GhostNetError('GHOSTNET_ABORTED', 'The call was aborted before its work began', {
    cause: signal.reason,
  });
}
