import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { types } from 'node:util';

import { checkNumber, checkSignal, copyOf, invalidArgument } from '../check/option.js';
import { deadLettersOf, retryDeadLetters, type DeadLetter, type DeadLetterFilter } from './dead-letters.js';
import { checkQueueName, contentKey, jobIdOf, parseJob, type ImageJob } from './job.js';
import { bullmq } from './peers.js';
import { defaultRedis, greet, openRedis, redisFailed, type RedisListener } from './redis.js';
import { statusOf, type QueueStatus } from './status.js';

/** An image for a queue: a reference, or its content, which is put into Redis. */
export type ImageReference = ImageJob | { readonly bytes: Uint8Array; readonly name?: string };

/** Options of {@link openQueue}. */
export interface OpenQueueOptions {
  /** The name of the queue. */
  readonly queue: string;
  /** The address of Redis. Default `'redis://127.0.0.1:6379'`. */
  readonly redis?: string;
  /** How long to wait for Redis at the start, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/** How far {@link ImageQueue.add} is. */
export interface AddProgress {
  /** References that are new in the queue. */
  readonly added: number;
  /** References that were in the queue already, waiting, done or dead. */
  readonly present: number;
  /** Whether the queue is as long as `maxWaiting` allows, so that it waits for the workers. */
  readonly isHeldUp: boolean;
}

/** Options of {@link ImageQueue.add}. */
export interface AddOptions {
  /** Adds no more while so many jobs wait. Default 1,000,000, which take about a gigabyte of Redis. */
  readonly maxWaiting?: number;
  /** Ends the adding after the current portion. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: AddProgress) => void;
}

/** A portion of jobs that goes to Redis together: references, or bytes of content. */
const mostJobs = 500;
const mostBytes = 16_000_000;
/** How long content stays in Redis if its job is not done. */
const contentSeconds = 7 * 24 * 60 * 60;
const heldUpMs = 500;

/** A queue of images, from {@link openQueue}: for producers, and for people who look after it. */
export class ImageQueue {
  readonly #name: string;
  readonly #url: string;
  readonly #client: Redis;
  readonly #queue: Queue;

  /** @internal */
  constructor(name: string, url: string, client: Redis) {
    const { Queue } = bullmq();
    this.#name = name;
    this.#url = url;
    this.#client = client;
    this.#queue = new Queue(name, { connection: client });
    // Of the connection, which opens again by itself.
    this.#queue.on('error', () => undefined);
  }

  /**
   * Adds images. A reference that the queue has, or has had, is not added again: after an interruption, add everything once more.
   * Memory holds one portion.
   *
   * @throws `GhostNetError` `GHOSTNET_MALFORMED_JOB` for a reference that no worker would take, `GHOSTNET_SERVICE_FAILED`,
   * `GHOSTNET_INVALID_ARGUMENT`; what the source throws
   */
  async add(
    references: Iterable<ImageReference> | AsyncIterable<ImageReference>,
    given: AddOptions = {},
  ): Promise<AddProgress> {
    const { maxWaiting = 1_000_000, signal, onProgress } = copyOf('options', given);
    checkNumber('maxWaiting', maxWaiting, 1);
    checkSignal(signal);
    let progress: AddProgress = { added: 0, present: 0, isHeldUp: false };
    const tell = (change: Partial<AddProgress>): void => {
      progress = { ...progress, ...change };
      onProgress?.(progress);
    };
    const flush = async (portion: ImageReference[]): Promise<void> => {
      for (;;) {
        const waiting = signal?.aborted === true ? 0 : await this.#waiting();
        if (waiting === 0 || waiting + portion.length <= maxWaiting) break;
        tell({ isHeldUp: true });
        await sleep(heldUpMs);
      }
      if (signal?.aborted === true) return;
      const added = await this.#addPortion(portion);
      const { added: before, present } = progress;
      tell({ added: before + added, present: present + portion.length - added, isHeldUp: false });
    };
    let portion: ImageReference[] = [];
    let bytes = 0;
    for await (const reference of references) {
      if (signal?.aborted === true) break;
      portion.push(reference);
      if ('bytes' in reference) bytes += reference.bytes.byteLength;
      if (portion.length < Math.min(mostJobs, maxWaiting) && bytes < mostBytes) continue;
      await flush(portion);
      portion = [];
      bytes = 0;
    }
    if (portion.length > 0) await flush(portion);
    return progress;
  }

  /** Numbers of jobs in each state. @throws `GhostNetError` `GHOSTNET_SERVICE_FAILED` */
  status(): Promise<QueueStatus> {
    return this.#asking(() => statusOf(this.#queue));
  }

  /** Jobs that failed for good, the latest first. */
  deadLetters(filter: DeadLetterFilter = {}): AsyncGenerator<DeadLetter, void> {
    return deadLettersOf(this.#queue, filter);
  }

  /**
   * Gives dead letters to the workers again, with all their attempts.
   *
   * @returns how many
   * @throws `GhostNetError` `GHOSTNET_SERVICE_FAILED`
   */
  retryDead(filter: DeadLetterFilter = {}): Promise<number> {
    return this.#asking(() => retryDeadLetters(this.#queue, this.#client, filter));
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#queue.close();
    this.#client.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #waiting(): Promise<number> {
    return this.#asking(() => this.#queue.getJobCountByTypes('wait', 'prioritized'));
  }

  /** @returns how many of the references were new */
  async #addPortion(references: readonly ImageReference[]): Promise<number> {
    const contents = new Map<string, Uint8Array>();
    const jobs = new Map<string, ImageJob>();
    for (const reference of references) {
      const job = parseJob('bytes' in reference ? jobOf(reference, contents) : reference);
      jobs.set(jobIdOf(job), job);
    }
    return this.#asking(async () => {
      const ids = [...jobs.keys()];
      const areThere = await Promise.all(ids.map((id) => this.#client.exists(this.#queue.toKey(id))));
      const isNew = new Set(ids.filter((_, index) => areThere[index] === 0));
      const fresh = [...jobs].filter(([id]) => isNew.has(id));
      // Before the jobs: a worker may take them at once.
      await Promise.all(
        fresh.map(async ([, job]) => {
          const bytes = 'content' in job ? contents.get(job.content) : undefined;
          if (bytes === undefined || !('content' in job)) return;
          await this.#client.set(
            contentKey(this.#name, job.content),
            Buffer.from(bytes),
            'EX',
            contentSeconds,
          );
        }),
      );
      await this.#queue.addBulk(fresh.map(([jobId, data]) => ({ name: 'image', data, opts: { jobId } })));
      return fresh.length;
    });
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      throw redisFailed(this.#url, cause);
    }
  }
}

function jobOf(
  { bytes, name }: { bytes: Uint8Array; name?: string },
  contents: Map<string, Uint8Array>,
): ImageJob {
  if (!types.isUint8Array(bytes))
    throw invalidArgument('The content of an image is not bytes', bytes, 'a Uint8Array');
  const content = createHash('sha256').update(bytes).digest('hex');
  contents.set(content, bytes);
  return name === undefined ? { content } : { content, name };
}

/**
 * Opens a queue, to add images to it, to look at it, and to retry what has failed.
 *
 * @throws `GhostNetError` `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_PEER_NOT_INSTALLED` without bullmq and ioredis,
 * `GHOSTNET_SERVICE_FAILED`
 *
 * @example
 * ```ts
 * await using queue = await openQueue({ queue: 'images' });
 * await queue.add([{ path: 'a.jpg' }, { url: 'https://bucket.example/b.jpg?signature=...' }]);
 * console.log(await queue.status());
 * ```
 */
export async function openQueue(given: OpenQueueOptions, listener: RedisListener = {}): Promise<ImageQueue> {
  const { queue, redis = defaultRedis, connectTimeoutMs = 10_000 } = copyOf('options', given);
  checkQueueName(queue);
  checkNumber('connectTimeoutMs', connectTimeoutMs, 1);
  let isGreeted = false;
  const client = openRedis(redis, {
    onDown: (error) => {
      if (isGreeted) listener.onDown?.(error);
    },
    onUp: listener.onUp,
  });
  await greet(client, redis, connectTimeoutMs);
  isGreeted = true;
  try {
    return new ImageQueue(queue, redis, client);
  } catch (error) {
    client.disconnect();
    throw error;
  }
}
