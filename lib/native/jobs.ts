import { checkObject, checkSignal, reading, type KeysOf } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import type { Ticket } from './addon.js';
import { native } from './load.js';

/** Options of a call that computes. */
export interface RunOptions {
  /** Cancels the call while it waits for its turn or decodes images; a run that has begun is finished. */
  readonly signal?: AbortSignal;
}

export const runKeys = { signal: true } as const satisfies KeysOf<RunOptions>;

// One listener per signal, however many jobs wait for it: Node reports many listeners as a leak.
const waiting = new WeakMap<AbortSignal, Set<Ticket>>();

/**
 * Starts a native job with a new ticket. While the job waits, the signal can cancel it.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED` if the signal fires before the job has begun;
 * `GHOSTNET_INVALID_ARGUMENT` if the options are not an object or the signal is not an AbortSignal
 */
export async function runJob<T>(options: RunOptions, start: (ticket: Ticket) => Promise<T>): Promise<T> {
  throwIfAborted(options);
  const { signal } = options;
  const ticket = native().newTicket();
  // Native code reads the arguments before it returns.
  if (signal === undefined) return reading(() => start(ticket));
  const tickets = waiting.get(signal) ?? listen(signal);
  tickets.add(ticket);
  try {
    return await reading(() => start(ticket));
  } finally {
    tickets.delete(ticket);
    if (tickets.size === 0) unlisten(signal);
  }
}

/**
 * Rejects a call whose signal has already fired.
 *
 * @throws {@link GhostNetError} as {@link runJob}
 */
export function throwIfAborted(options: RunOptions): void {
  checkObject('options', options);
  checkSignal(options.signal);
  if (options.signal?.aborted === true) throw aborted(options.signal.reason);
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
  for (const ticket of waiting.get(this) ?? []) native().abort(ticket, aborted(this.reason));
}

/**
 * The result of work that throws the reason of the signal when it fires.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED` then
 */
export async function abortable<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (signal?.aborted === true && error === signal.reason) throw aborted(error);
    throw error;
  }
}

/** The error of a call that was aborted. @param reason - of the signal */
export function aborted(reason: unknown): GhostNetError {
  return new GhostNetError('GHOSTNET_ABORTED', 'The call was aborted before its work was done', {
    cause: reason,
  });
}
