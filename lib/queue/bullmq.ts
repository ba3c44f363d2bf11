import type { Job, Processor, Worker, WorkerOptions as BullWorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';

import { isObject } from '../check/json.js';
import { messageOf } from '../check/words.js';
import type { GhostNetError } from '../errors.js';
import { bullmq } from './peers.js';
import type { Delivery, JobQueue } from './seam.js';
import { reasonOf } from './verdict.js';

/** How soon the jobs of a worker that has vanished are given to others: after its lock and at most two of these intervals. */
const lockMs = 10_000;
const stalledIntervalMs = 5_000;
/** A bound for what {@link Delivery.crashes} does not count, as a process that ends before it can note anything. */
const mostStalls = 20;
/** The minutes for which Redis keeps the number of jobs done. */
const metricsMinutes = 60;

/** What becomes of a job, for BullMQ's processor. */
type Outcome =
  { readonly result: unknown } | { readonly error: Error; readonly delayMs?: number } | 'handBack';

interface Held {
  readonly job: Job;
  readonly token: string;
  readonly settle: (outcome: Outcome) => void;
}

export interface BullOptions {
  readonly client: Redis;
  readonly queue: string;
  /** Jobs that this worker may hold. */
  readonly concurrency: number;
  /** Completed jobs that Redis keeps; undefined keeps all. */
  readonly keepCompleted: number | undefined;
  /** Hears when a job of this worker has been acknowledged. */
  readonly onAcked: (data: unknown) => void;
  /** Hears that a job was given to another worker while this one computed it. */
  readonly onLost: () => void;
  readonly onError: (error: Error) => void;
}

/** BullMQ behind the seam: its worker renews locks, finds stalled jobs and waits for Redis; jobs are settled from outside. */
export class BullQueue implements JobQueue {
  readonly #worker: OwnWorker;
  readonly #held = new Map<Delivery, Held>();
  readonly #arrived: Delivery[] = [];
  readonly #pulls: ((delivery: Delivery | undefined) => void)[] = [];
  readonly #waitingError: () => Error;
  readonly #unrecoverable: (reason: string) => Error;
  #closing: Promise<void> | undefined;

  /** @throws {@link GhostNetError} `GHOSTNET_PEER_NOT_INSTALLED` */
  constructor({ client, queue, concurrency, keepCompleted, onAcked, onLost, onError }: BullOptions) {
    const { UnrecoverableError, WaitingError, Worker: Base } = bullmq();
    this.#waitingError = () => new WaitingError();
    this.#unrecoverable = (reason) => new UnrecoverableError(reason);
    this.#worker = new (ownWorker(Base))(queue, (job, token) => this.#process(job, token ?? ''), {
      connection: client,
      concurrency,
      lockDuration: lockMs,
      stalledInterval: stalledIntervalMs,
      maxStalledCount: mostStalls,
      runRetryDelay: 1_000,
      metrics: { maxDataPoints: metricsMinutes },
      ...(keepCompleted === undefined ? {} : { removeOnComplete: { count: keepCompleted } }),
    });
    this.#worker.on('completed', (job: Job) => {
      onAcked(job.data);
    });
    this.#worker.on('error', (error) => {
      // Another worker has the job by now, or has finished it.
      if (/lock|not in the active state|Missing key for job/i.test(messageOf(error))) onLost();
      else onError(error);
    });
  }

  pull(): Promise<Delivery | undefined> {
    const next = this.#arrived.shift();
    if (next !== undefined || this.#closing !== undefined) return Promise.resolve(next);
    return new Promise((resolve) => this.#pulls.push(resolve));
  }

  ack(delivery: Delivery, result: unknown): void {
    this.#take(delivery).settle({ result });
  }

  retry(delivery: Delivery, error: GhostNetError, delayMs: number): void {
    this.#take(delivery).settle({ error: bare(new Error(reasonOf(error))), delayMs });
  }

  dead(delivery: Delivery, error: GhostNetError): void {
    this.#take(delivery).settle({ error: bare(this.#unrecoverable(reasonOf(error))) });
  }

  handBack(delivery: Delivery): void {
    this.#take(delivery).settle('handBack');
  }

  async beginAlone(delivery: Delivery): Promise<void> {
    await this.#held.get(delivery)?.job.updateProgress({ crashes: delivery.crashes + 1 });
  }

  stop(): void {
    // Ends the fetching at once; the promise is that of the jobs that are held.
    this.#closing ??= this.#worker.close();
    for (const resolve of this.#pulls.splice(0)) resolve(undefined);
    for (const delivery of this.#arrived.splice(0)) this.handBack(delivery);
  }

  async close(timeoutMs: number): Promise<void> {
    this.stop();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => {
        resolve('late');
      }, timeoutMs);
    });
    const end = await Promise.race([this.#closing, late]);
    clearTimeout(timer);
    // A connection that is closed twice would keep the process for two seconds.
    if (end === 'late') this.#worker.abandon();
  }

  #take(delivery: Delivery): Held {
    const held = this.#held.get(delivery);
    if (held === undefined) throw new Error(`The job ${delivery.id} is settled already`);
    this.#held.delete(delivery);
    return held;
  }

  /** BullMQ's processor: lasts until the job is settled. */
  async #process(job: Job, token: string): Promise<unknown> {
    // Those that were not JSON are replaced, so that the job can be listed.
    if (job.data === null) await job.updateData(null);
    const delivery: Delivery = {
      id: job.id ?? '',
      data: job.data,
      failures: job.attemptsMade,
      isSuspect: job.stalledCounter > 0,
      crashes: crashesIn(job.progress),
    };
    const outcome = await new Promise<Outcome>((settle) => {
      this.#held.set(delivery, { job, token, settle });
      if (this.#closing !== undefined) {
        this.handBack(delivery);
        return;
      }
      const pull = this.#pulls.shift();
      if (pull === undefined) this.#arrived.push(delivery);
      else pull(delivery);
    });
    if (outcome === 'handBack') {
      await job.moveToWait(token);
      throw this.#waitingError();
    }
    if ('result' in outcome) return outcome.result;
    // The worker decides on attempts and pauses, whatever the producer wrote.
    job.opts.attempts = Number.MAX_SAFE_INTEGER;
    job.opts.backoff = { type: 'fixed', delay: outcome.delayMs ?? 0 };
    throw outcome.error;
  }
}

/** BullMQ's worker, with two changes. */
interface OwnWorker extends Worker {
  /** Ends what keeps the process: without Redis, BullMQ's own end waits for it. */
  abandon(): void;
}

function ownWorker(
  Base: typeof Worker,
): new (name: string, processor: Processor, options: BullWorkerOptions) => OwnWorker {
  return class extends Base {
    /** A job whose data are not JSON is one with other data: otherwise it would be given to workers again and again. */
    protected override createJob(
      ...[json, id]: Parameters<Worker['createJob']>
    ): ReturnType<Worker['createJob']> {
      try {
        return super.createJob(json, id);
      } catch {
        return super.createJob({ ...json, data: 'null' }, id);
      }
    }

    abandon(): void {
      void this.lockManager.close();
      void this.backend.close(true);
    }
  };
}

/** An error whose stack, which Redis would keep, says nothing of this process. */
function bare<E extends Error>(error: E): E {
  error.stack = error.message;
  return error;
}

function crashesIn(progress: unknown): number {
  const crashes = isObject(progress) ? progress.crashes : undefined;
  return typeof crashes === 'number' && Number.isSafeInteger(crashes) ? Math.max(0, crashes) : 0;
}
