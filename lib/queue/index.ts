/**
 * Queues of images in Redis, through BullMQ: workers, and what fills and watches their queues.
 *
 * @module ghostnet/queue
 */
export type { DeadLetter, DeadLetterFilter } from './dead-letters.js';
export {
  openQueue,
  type AddOptions,
  type AddProgress,
  type ImageQueue,
  type ImageReference,
  type OpenQueueOptions,
} from './image-queue.js';
export type { ImageJob } from './job.js';
export type { RedisListener } from './redis.js';
export type { QueueStatus } from './status.js';
export { createWorker, type QueueWorker, type WorkerStats } from './worker.js';
export type { ResultsOption, WorkerEvent, WorkerOptions } from './worker-options.js';
export type { ResultRow, ResultSink } from '../results/row.js';
