import type { GhostNetError } from '../errors.js';

/** A job that a worker holds. */
export interface Delivery {
  readonly id: string;
  /** As the producer wrote it, and so whatever it may be. */
  readonly data: unknown;
  /** Attempts that have failed before. */
  readonly failures: number;
  /** Whether a worker that held the job has vanished: it ended, or was cut off. The image may be the cause. */
  readonly isSuspect: boolean;
  /** How many workers have begun to compute it alone, and did not live to say how it went. */
  readonly crashes: number;
}

/**
 * What a worker needs of a queue. It is the only place where a queue is known: another kind of queue is another implementation.
 * A job is settled by one of `ack`, `retry`, `dead` and `handBack`; when a worker vanishes, the queue gives its jobs to others.
 */
export interface JobQueue {
  /** The next job, as soon as there is one and this worker has room for it; undefined after {@link JobQueue.stop}. */
  pull(): Promise<Delivery | undefined>;
  /** The job is done. */
  ack(delivery: Delivery, result: unknown): void;
  /** The job failed, and is given to a worker again after a time. */
  retry(delivery: Delivery, error: GhostNetError, delayMs: number): void;
  /** The job failed for good: it is kept with its error until somebody retries or removes it. */
  dead(delivery: Delivery, error: GhostNetError): void;
  /** The job is given to a worker again at once, as if this one had never had it. */
  handBack(delivery: Delivery): void;
  /** Notes, before a suspect is computed alone, that it is about to be: see {@link Delivery.crashes}. */
  beginAlone(delivery: Delivery): Promise<void>;
  /** Ends {@link JobQueue.pull}. */
  stop(): void;
  /** Waits until the queue knows of all settled jobs, for a limited time, and closes the connections. */
  close(timeoutMs: number): Promise<void>;
}
