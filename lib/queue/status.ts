import type { Queue } from 'bullmq';

/** A queue at one moment. */
export interface QueueStatus {
  /** Jobs that no worker has. */
  readonly waiting: number;
  /** Jobs that a worker has. */
  readonly active: number;
  /** Jobs that failed and wait for their next attempt. */
  readonly delayed: number;
  /** Jobs that are done, as far as Redis keeps them. */
  readonly completed: number;
  /** Dead letters. */
  readonly failed: number;
  /** Jobs that workers of this package have done since the queue exists, kept or not. */
  readonly done: number;
  readonly isPaused: boolean;
}

export async function statusOf(queue: Queue): Promise<QueueStatus> {
  const [counts, metrics, isPaused] = await Promise.all([
    queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'completed', 'failed'),
    queue.getMetrics('completed', 0, 0),
    queue.isPaused(),
  ]);
  const { wait = 0, prioritized = 0, active = 0, delayed = 0, completed = 0, failed = 0 } = counts;
  return {
    waiting: wait + prioritized,
    active,
    delayed,
    completed,
    failed,
    done: metrics.meta.count,
    isPaused,
  };
}
