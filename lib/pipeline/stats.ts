import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** A distribution of times, in milliseconds. */
export interface Times {
  readonly count: number;
  /** All of them together. It never decreases. */
  readonly sum: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Milliseconds that the images which succeeded spent in each stage, all together. They never decrease. */
export interface StageTimes {
  /** In the queue: until their decoding began, and then until they were given to the engine. */
  readonly waiting: number;
  /** Being read, decoded and resized, with the wait for a thread. */
  readonly decoding: number;
  /** In a batch that was being computed, with its wait for the engine. Each image of a batch counts the whole of it. */
  readonly computing: number;
}

/** The state of a pipeline, and its counts since it was created. */
export interface PipelineStats {
  /** `'closing'` after `close()` or `destroy()`, until nothing waits and nothing runs; then `'closed'`. */
  readonly state: 'open' | 'closing' | 'closed';
  /** Images in the queue, at most `maxQueue`: waiting, being decoded, or decoded and waiting for the engine. */
  readonly waiting: number;
  /** Callers that wait for a place in the queue, if `whenFull` is `'wait'`. */
  readonly blocked: number;
  /** Images of the queue that are being read and decoded. */
  readonly decoding: number;
  /** Images of the queue that are ready for the engine. */
  readonly ready: number;
  /** Images in the batch that is being computed. */
  readonly computing: number;
  /** Images taken into the pipeline. Each is settled once: succeeded, failed, aborted or timed out. */
  readonly accepted: number;
  readonly succeeded: number;
  /** Images that could not be decoded or computed. */
  readonly failed: number;
  /** Those of them whose batch could not be computed. */
  readonly computeFailed: number;
  /** Images whose signal fired, or that `destroy()` rejected. */
  readonly aborted: number;
  readonly timedOut: number;
  /** Images that were not taken because the queue was full. */
  readonly rejected: number;
  readonly batches: number;
  /** The number of batches of each size. */
  readonly batchSizes: Readonly<Record<number, number>>;
  /** How long all batches of each size took together, in milliseconds. */
  readonly batchMs: Readonly<Record<number, number>>;
  /** Images that succeeded, per second, over the last 10 seconds. */
  readonly imagesPerSecond: number;
  /** From `run()` to the start of decoding, of images that succeeded. */
  readonly waitMs: Times;
  /** Decoding and resizing on one thread, of images that succeeded. */
  readonly decodeMs: Times;
  /** The computation of each batch, with its wait for the engine. */
  readonly computeMs: Times;
  /** From `run()` to the result, of images that succeeded. */
  readonly totalMs: Times;
  /** How the sum of `totalMs` divides into stages. */
  readonly spentMs: StageTimes;
}

/** How an image settled. */
export type Outcome = 'succeeded' | 'failed' | 'aborted' | 'timedOut';

/** When an image passed from stage to stage, in milliseconds of `performance.now()`. */
interface Passage {
  readonly enqueuedAt: number;
  readonly startedAt: number;
  readonly readyAt: number;
  readonly computedAt: number;
}

type Current = 'state' | 'waiting' | 'blocked' | 'decoding' | 'ready' | 'computing';

const window = 10; // seconds
const perMillisecond = 1e6;

/** Counts what happens in a pipeline. */
export class StatsRecorder {
  readonly counts = {
    accepted: 0,
    succeeded: 0,
    failed: 0,
    computeFailed: 0,
    aborted: 0,
    timedOut: 0,
    rejected: 0,
    batches: 0,
  };
  readonly #batchSizes = new Map<number, number>();
  readonly #batchMs = new Map<number, number>();
  readonly #wait = new Distribution();
  readonly #decode = new Distribution();
  readonly #compute = new Distribution();
  readonly #total = new Distribution();
  readonly #spent = { waiting: 0, decoding: 0, computing: 0 };
  /** Images that succeeded in each of the last seconds, by the second's number. */
  readonly #seconds = new Map<number, number>();
  readonly #createdAt = performance.now();

  success(waitMs: number, decodeMs: number, totalMs: number): void {
    this.#wait.record(waitMs);
    this.#decode.record(decodeMs);
    this.#total.record(totalMs);
    const second = Math.floor(performance.now() / 1000);
    this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + 1);
    for (const old of this.#seconds.keys()) {
      if (old >= second - window) break;
      this.#seconds.delete(old);
    }
  }

  /** Adds the stages of an image that has succeeded. */
  spend({ enqueuedAt, startedAt, readyAt, computedAt }: Passage, settledAt: number): void {
    this.#spent.waiting += startedAt - enqueuedAt + (computedAt - readyAt);
    this.#spent.decoding += readyAt - startedAt;
    this.#spent.computing += settledAt - computedAt;
  }

  batch(size: number, milliseconds: number): void {
    this.counts.batches += 1;
    this.#batchSizes.set(size, (this.#batchSizes.get(size) ?? 0) + 1);
    this.#batchMs.set(size, (this.#batchMs.get(size) ?? 0) + milliseconds);
    this.#compute.record(milliseconds);
  }

  /** Counts images that are computed beside the queue, all in one run. Its wait for the engine counts as computation. */
  async observe<T>(images: number, run: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      const result = await run();
      const milliseconds = performance.now() - start;
      for (let image = 0; image < images; ++image) this.success(0, 0, milliseconds);
      this.#spent.computing += images * milliseconds;
      this.counts.accepted += images;
      this.counts.succeeded += images;
      this.batch(images, milliseconds);
      return result;
    } catch (error) {
      const { code } = error as { readonly code?: string };
      if (code === 'GHOSTNET_QUEUE_FULL') {
        this.counts.rejected += images;
      } else {
        this.counts.accepted += images;
        this.counts[outcomeOf(code)] += images;
      }
      throw error;
    }
  }

  /** The counts and distributions so far. */
  snapshot(): Omit<PipelineStats, Current> {
    return {
      ...this.counts,
      batchSizes: Object.fromEntries(this.#batchSizes),
      batchMs: Object.fromEntries(this.#batchMs),
      imagesPerSecond: this.#rate(),
      waitMs: this.#wait.times(),
      decodeMs: this.#decode.times(),
      computeMs: this.#compute.times(),
      totalMs: this.#total.times(),
      spentMs: { ...this.#spent },
    };
  }

  #rate(): number {
    const now = performance.now() / 1000;
    let images = 0;
    for (const [second, count] of this.#seconds) if (second >= Math.floor(now) - window) images += count;
    const seconds = Math.min(now - this.#createdAt / 1000, window + (now % 1));
    return images / Math.max(seconds, 1);
  }
}

function outcomeOf(code: string | undefined): Outcome {
  if (code === 'GHOSTNET_ABORTED') return 'aborted';
  return code === 'GHOSTNET_TIMEOUT' ? 'timedOut' : 'failed';
}

/** Of a distribution, in nanoseconds: three hours. */
const longest = 1e13;

/** Times, in milliseconds. The histogram rounds to 1 %; the sum is exact. */
class Distribution {
  // Each percentile goes through all buckets, and stats() is called often: so they are few.
  readonly #histogram: RecordableHistogram = createHistogram({ figures: 2, highest: longest });
  #sum = 0;

  record(milliseconds: number): void {
    this.#histogram.record(Math.min(longest, Math.max(1, Math.round(milliseconds * perMillisecond))));
    this.#sum += milliseconds;
  }

  times(): Times {
    const { count, max } = this.#histogram;
    if (count === 0) return { count: 0, sum: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 };
    const at = (percentile: number): number => this.#histogram.percentile(percentile) / perMillisecond;
    return {
      count,
      sum: this.#sum,
      mean: this.#sum / count,
      p50: at(50),
      p95: at(95),
      p99: at(99),
      max: max / perMillisecond,
    };
  }
}
