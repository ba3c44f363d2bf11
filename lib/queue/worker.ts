import { setMaxListeners } from 'node:events';

import type { Redis } from 'ioredis';

import { checkNumber, longestTimer } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import { ownedImage } from '../image/source.js';
import type { ClassScore, Pipeline } from '../pipeline/index.js';
import { BullQueue } from './bullmq.js';
import { ImageReader } from './image-reader.js';
import { contentKey, imageIn, imageInData, parseJob } from './job.js';
import { Quarantine } from './quarantine.js';
import { evictionOf, greet, openRedis } from './redis.js';
import { RowMaker } from './row-maker.js';
import type { Delivery, JobQueue } from './seam.js';
import { openSink, Store } from './store.js';
import { asGhostNetError, pauseAfter, verdictOn } from './verdict.js';
import { workerSettings, type WorkerOptions, type WorkerSettings } from './worker-options.js';

/** How many workers may end while they compute an image alone, before it is a dead letter. */
const mostCrashes = 2;

/** The state of a worker, and its counts since it began. */
export interface WorkerStats {
  /** Jobs that it holds. */
  readonly holding: number;
  /** Jobs done. */
  readonly done: number;
  /** Those of them whose result was there already, or that another worker finished as well. */
  readonly repeated: number;
  /** Jobs that failed and are tried again later. */
  readonly retried: number;
  /** Jobs that failed for good. */
  readonly dead: number;
  /** Jobs that were given back when the worker stopped. */
  readonly handedBack: number;
  /** Jobs that were given to another worker while this one was cut off, or too slow. */
  readonly lost: number;
}

type AnyPipeline = Pipeline<ClassScore[]> | Pipeline<Float32Array>;

/** What a worker is made of. */
interface Parts {
  readonly queue: JobQueue;
  readonly reader: ImageReader;
  readonly rows: RowMaker;
  readonly store: Store | undefined;
  readonly pipeline: AnyPipeline;
  readonly client: Redis;
}

/** A worker of a queue, from {@link createWorker}. */
export class QueueWorker {
  /** The pipeline, for `stats()` and for metrics. */
  readonly pipeline: AnyPipeline;
  readonly #parts: Parts;
  readonly #settings: WorkerSettings;
  readonly #quarantine = new Quarantine();
  /** Ends what has not been given to the pipeline. */
  readonly #stopping = new AbortController();
  /** Ends what waits for the place of results. */
  readonly #over = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #counts: { -readonly [name in keyof WorkerStats]: number };
  readonly #pulling: Promise<void>;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(
    parts: Parts,
    settings: WorkerSettings,
    counts: { -readonly [name in keyof WorkerStats]: number },
  ) {
    this.#parts = parts;
    this.#settings = settings;
    this.#counts = counts;
    // As many jobs wait for it as the worker holds.
    setMaxListeners(0, this.#over.signal, this.#stopping.signal);
    this.pipeline = parts.pipeline;
    this.#pulling = this.#pull();
  }

  /** What the worker has done so far. */
  stats(): WorkerStats {
    return { ...this.#counts, holding: this.#running.size };
  }

  /**
   * Stops: takes no more jobs, hands back those that have not begun, finishes what is being computed, and closes the connections. The
   * promise never rejects.
   *
   * @param timeoutMs - after this time, what is not finished is handed back, too. Default 8,000, less than the 10 seconds after which
   * `docker stop` kills
   * @throws `GhostNetError` `GHOSTNET_INVALID_ARGUMENT`
   */
  close(timeoutMs = 8_000): Promise<void> {
    checkNumber('timeoutMs', timeoutMs, 0, longestTimer, 'a number');
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #pull(): Promise<void> {
    for (;;) {
      const delivery = await this.#parts.queue.pull();
      if (delivery === undefined) return;
      const run = this.#run(delivery).finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
  }

  async #run(delivery: Delivery): Promise<void> {
    const { queue } = this.#parts;
    try {
      const leave = await this.#quarantine.enter(delivery.isSuspect);
      try {
        if (delivery.isSuspect) await this.#beginAlone(delivery);
        const result = await this.#compute(delivery);
        this.#counts.done += 1;
        queue.ack(delivery, result);
      } finally {
        leave();
      }
    } catch (thrown) {
      this.#fail(delivery, thrown);
    }
  }

  async #beginAlone(delivery: Delivery): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    if (delivery.crashes >= mostCrashes) {
      throw new GhostNetError(
        'GHOSTNET_WORKER_CRASHED',
        'Workers ended while they computed the image alone',
        {
          found: `${delivery.crashes} of them`,
        },
      );
    }
    await this.#parts.queue.beginAlone(delivery);
  }

  /** @returns the return value of the job: the row, or what leads to it */
  async #compute(delivery: Delivery): Promise<object> {
    const { reader, rows, store, pipeline } = this.#parts;
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    const job = parseJob(delivery.data);
    const bytes = await reader.read(job, signal);
    signal.throwIfAborted();
    const keys = rows.keysOf(bytes);
    if (store?.has(keys.key) === true) {
      this.#counts.repeated += 1;
      return keys;
    }
    const row = rows.rowOf(
      keys,
      imageIn(job),
      await pipeline.run(isWhole(bytes) ? ownedImage(bytes) : bytes),
    );
    if (store === undefined) return row;
    if (!(await store.write(row, this.#over.signal))) this.#counts.repeated += 1;
    return keys;
  }

  #fail(delivery: Delivery, thrown: unknown): void {
    const { queue } = this.#parts;
    const { attempts, onEvent } = this.#settings;
    const { signal } = this.#stopping;
    const isStopped = (signal.aborted && thrown === signal.reason) || (thrown as Error).name === 'AbortError';
    const error = asGhostNetError(thrown);
    const verdict = isStopped ? 'handBack' : verdictOn(error);
    if (verdict === 'handBack') {
      this.#counts.handedBack += 1;
      queue.handBack(delivery);
      return;
    }
    const about = { job: delivery.id, image: imageInData(delivery.data), error };
    if (verdict === 'retry' && delivery.failures + 1 < attempts) {
      const delayMs = pauseAfter(delivery.failures);
      this.#counts.retried += 1;
      queue.retry(delivery, error, delayMs);
      onEvent({ type: 'retry', ...about, delayMs });
    } else {
      this.#counts.dead += 1;
      queue.dead(delivery, error);
      onEvent({ type: 'dead', ...about });
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    const { queue, pipeline, reader, store, client } = this.#parts;
    const end = performance.now() + timeoutMs;
    queue.stop();
    this.#stopping.abort();
    const late = setTimeout(() => {
      this.#over.abort();
      void pipeline.destroy();
    }, timeoutMs);
    await this.#pulling;
    await Promise.all(this.#running);
    clearTimeout(late);
    await pipeline.close();
    // What was settled last must still reach Redis, if it is there.
    const patience = client.status === 'ready' ? end - performance.now() : 0;
    await queue.close(Math.max(1_000, patience));
    await reader.close();
    await store?.close().catch(() => undefined);
    client.disconnect();
  }
}

/**
 * Starts a worker: takes jobs from a queue of BullMQ, one image each, computes them in the batches of a pipeline, and keeps each result
 * once. See `docs/queues.md`.
 *
 * It waits for Redis as long as it takes, also at the start: `onEvent` hears of it.
 *
 * @throws `GhostNetError` `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_PEER_NOT_INSTALLED` without bullmq and ioredis,
 * `GHOSTNET_SERVICE_FAILED` if Redis refuses the password or PostgreSQL fails, `GHOSTNET_FILE_NOT_FOUND` and
 * `GHOSTNET_FILE_UNREADABLE` for the root folder, `GHOSTNET_FILE_UNWRITABLE` and `GHOSTNET_MALFORMED_FILE` for the file of results,
 * `GHOSTNET_NO_CLASSIFIER`, `GHOSTNET_DISPOSED`
 *
 * @example
 * ```ts
 * const model = await GhostNet.load();
 * const worker = await createWorker({ model, queue: 'images', root: 'photos', results: { file: 'results.jsonl' } });
 * process.once('SIGTERM', () => worker.close().then(() => model.dispose()));
 * ```
 */
export async function createWorker(options: WorkerOptions): Promise<QueueWorker> {
  const settings = workerSettings(options);
  const { model, redis, queue: name, onEvent, maxImageBytes, concurrency } = settings;
  const counts = { holding: 0, done: 0, repeated: 0, retried: 0, dead: 0, handedBack: 0, lost: 0 };
  const client = openRedis(redis, {
    onDown: (error) => {
      onEvent({ type: 'down', what: 'redis', error });
    },
    onUp: () => {
      onEvent({ type: 'up', what: 'redis' });
    },
  });
  const opened: { close(): Promise<void> }[] = [];
  try {
    await greet(client, redis);
    const policy = await evictionOf(client);
    if (policy !== undefined && policy !== 'noeviction') onEvent({ type: 'eviction', policy });
    const rows = await RowMaker.of(model, settings.pipeline);
    const reader = await ImageReader.open(settings, client, name);
    opened.push(reader);
    const sink = settings.results === undefined ? undefined : await openSink(settings.results, client);
    if (sink !== undefined) opened.push(sink);
    const pipeline = model.pipeline({
      ...settings.pipeline,
      maxImageBytes,
      whenFull: 'wait',
      maxQueue: Math.max(concurrency, settings.pipeline.maxQueue ?? 256),
    });
    const queue = new BullQueue({
      client,
      queue: name,
      concurrency,
      keepCompleted: settings.keepCompleted,
      onAcked: (data) => {
        forgetContent(client, name, data);
      },
      onLost: () => (counts.lost += 1),
      // Of a connection, which is heard of already, or of one command, which is repeated.
      onError: () => undefined,
    });
    const store =
      sink &&
      new Store(sink, {
        onDown: (error) => {
          onEvent({ type: 'down', what: 'results', error });
        },
        onUp: () => {
          onEvent({ type: 'up', what: 'results' });
        },
      });
    return new QueueWorker({ queue, reader, rows, store, pipeline, client }, settings, counts);
  } catch (error) {
    for (const part of opened) await part.close().catch(() => undefined);
    client.disconnect();
    throw error;
  }
}

/** Whether bytes have memory of their own; those of Redis share that of its answers. */
function isWhole({ byteLength, buffer }: Uint8Array): boolean {
  return byteLength === buffer.byteLength;
}

/** Removes the content of a job that is done. If that fails, it goes when its time is over. */
function forgetContent(client: Redis, queue: string, data: unknown): void {
  const job = parseJob(data);
  if ('content' in job) client.unlink(contentKey(queue, job.content)).catch(() => undefined);
}
