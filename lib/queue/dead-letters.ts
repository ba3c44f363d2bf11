import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';

import { imageInData } from './job.js';
import { parseReason } from './verdict.js';

/** A job that failed for good. */
export interface DeadLetter {
  readonly job: string;
  /** The image in words. */
  readonly image: string;
  /** The code of its error: `ErrorCode`, as long as workers of this package write it. */
  readonly code: string;
  readonly message: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** ISO 8601. */
  readonly failedAt: string;
}

/** Which dead letters are meant: all, or those with one of these codes, or these jobs. */
export interface DeadLetterFilter {
  readonly codes?: readonly string[];
  readonly jobs?: readonly string[];
}

const pageSize = 200;

export async function* deadLettersOf(
  queue: Queue,
  filter: DeadLetterFilter,
): AsyncGenerator<DeadLetter, void> {
  for (let start = 0; ; start += pageSize) {
    const jobs = await queue.getFailed(start, start + pageSize - 1);
    if (jobs.length === 0) return;
    for (const job of jobs) {
      const letter = letterOf(job);
      if (isMeant(letter, filter)) yield letter;
    }
  }
}

export async function retryDeadLetters(
  queue: Queue,
  client: Redis,
  filter: DeadLetterFilter,
): Promise<number> {
  const begin = Date.now();
  let retried = 0;
  // What is retried leaves the list, and what stays is passed over. What fails again meanwhile is not retried twice.
  for (let start = 0; ;) {
    const jobs = await queue.getFailed(start, start + pageSize - 1);
    if (jobs.length === 0) return retried;
    for (const job of jobs) {
      if ((job.finishedOn ?? 0) > begin || !isMeant(letterOf(job), filter)) start += 1;
      else if (await retry(queue, client, job)) retried += 1;
    }
  }
}

/** @returns whether the job was still dead */
async function retry(queue: Queue, client: Redis, job: Job): Promise<boolean> {
  // The count of stalls, and the verdict that BullMQ passes on it: otherwise the job would fail at once.
  await client.hdel(queue.toKey(job.id ?? ''), 'stc', 'defa');
  await job.updateProgress(0);
  try {
    await job.retry('failed', { resetAttemptsMade: true });
    return true;
  } catch {
    // Somebody else has retried or removed it.
    return false;
  }
}

function letterOf(job: Job): DeadLetter {
  const reason: unknown = job.failedReason;
  return {
    job: job.id ?? '',
    image: imageInData(job.data),
    ...parseReason(typeof reason === 'string' ? reason : ''),
    attempts: job.attemptsMade,
    failedAt: new Date(job.finishedOn ?? job.timestamp).toISOString(),
  };
}

function isMeant({ job, code }: DeadLetter, { codes, jobs }: DeadLetterFilter): boolean {
  return (codes?.includes(code) ?? true) && (jobs?.includes(job) ?? true);
}
