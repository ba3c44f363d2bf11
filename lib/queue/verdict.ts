import { GhostNetError, type ErrorCode } from '../errors.js';
import { messageOf } from '../check/words.js';

/** What becomes of a job that failed. */
export type Verdict = 'retry' | 'dead' | 'handBack';

/** Of the machine or the network, not of the image. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'GHOSTNET_DOWNLOAD_FAILED',
  'GHOSTNET_TIMEOUT',
  'GHOSTNET_OUT_OF_MEMORY',
  'GHOSTNET_OUT_OF_THREADS',
  'GHOSTNET_CUDA_FAILED',
  'GHOSTNET_SERVICE_FAILED',
  'GHOSTNET_FILE_UNWRITABLE',
  'GHOSTNET_QUEUE_FULL',
  'GHOSTNET_INTERNAL',
]);

/** Failures of a file system that pass: of a network, of a device, or because too much is open. */
const passingReads = new Set([
  'EMFILE',
  'ENFILE',
  'EIO',
  'ESTALE',
  'ETIMEDOUT',
  'EAGAIN',
  'EBUSY',
  'ENOMEM',
  'EHOSTDOWN',
]);

/** An image that failed for a reason of its own fails again: it is dead at once. */
export function verdictOn(error: GhostNetError): Verdict {
  const { code, cause } = error;
  // The worker is stopping.
  if (code === 'GHOSTNET_CLOSED' || code === 'GHOSTNET_ABORTED' || code === 'GHOSTNET_DISPOSED')
    return 'handBack';
  if (passing.has(code)) return 'retry';
  const system = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'GHOSTNET_FILE_UNREADABLE' && passingReads.has(system ?? '') ? 'retry' : 'dead';
}

/** Anything that was thrown, as an error with a code. */
export function asGhostNetError(thrown: unknown): GhostNetError {
  if (thrown instanceof GhostNetError) return thrown;
  return new GhostNetError('GHOSTNET_INTERNAL', 'The job failed unexpectedly', {
    found: messageOf(thrown),
    cause: thrown,
  });
}

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** The time until the next attempt: twice as long after each failure, and different for each job. */
export function pauseAfter(failures: number, random = Math.random()): number {
  const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 16));
  return Math.round(pause * (0.5 + random / 2));
}

/** How a dead letter keeps its error. */
export function reasonOf({ code, message }: GhostNetError): string {
  return `${code}: ${message}`;
}

/** The error of a dead letter. Other producers and workers of the same queue may have written anything. */
export function parseReason(reason: string): { readonly code: string; readonly message: string } {
  const [, code, message] = /^(GHOSTNET_\w{1,60}): (.*)$/s.exec(reason) ?? [];
  if (code !== undefined && message !== undefined) return { code, message };
  // BullMQ's own limit of stalls.
  if (reason.startsWith('job stalled more than')) return { code: 'GHOSTNET_WORKER_CRASHED', message: reason };
  return { code: 'GHOSTNET_INTERNAL', message: reason };
}
