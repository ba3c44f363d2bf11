import {
  checkNumber,
  checkObject,
  invalidArgument,
  longestTimer,
  optionsOf,
  type KeysOf,
} from '../check/option.js';
import type { GhostNetError } from '../errors.js';
import { defaultDecode } from '../image/options.js';
import type { GhostNet } from '../model/ghostnet.js';
import type { PipelineOptions } from '../pipeline/index.js';
import type { ResultSink } from '../results/row.js';
import { checkQueueName } from './job.js';
import { checkRedisUrl, defaultRedis } from './redis.js';

/** Where the results of a worker go; without one they are the return values of the jobs. */
export type ResultsOption =
  /** A file of JSON lines, which several workers of a machine may share. */
  | { readonly file: string }
  /** A hash in the Redis of the queue: a field for each key. */
  | { readonly redisHash: string }
  /** A table of PostgreSQL, created if it is not there. The address may be left to `PGHOST` and so on. */
  | { readonly postgres: string | undefined; readonly table?: string | undefined }
  /** Your own. */
  | ResultSink;

/** Something that happened to a worker. */
export type WorkerEvent =
  /** An image failed for good, and is a dead letter now. */
  | { readonly type: 'dead'; readonly job: string; readonly image: string; readonly error: GhostNetError }
  /** An image failed, and is tried again after a time. */
  | {
      readonly type: 'retry';
      readonly job: string;
      readonly image: string;
      readonly error: GhostNetError;
      readonly delayMs: number;
    }
  /** Redis or the place for results cannot be reached. The worker keeps on trying; said once until it is back. */
  | { readonly type: 'down'; readonly what: 'redis' | 'results'; readonly error: GhostNetError }
  /** It is back. */
  | { readonly type: 'up'; readonly what: 'redis' | 'results' }
  /** Redis may remove jobs when its memory is full: set `maxmemory-policy noeviction`. */
  | { readonly type: 'eviction'; readonly policy: string };

/** Options of {@link createWorker}. */
export interface WorkerOptions {
  /** The model. It stays yours: dispose of it after the worker has closed. */
  readonly model: GhostNet;
  /** The name of the queue. */
  readonly queue: string;
  /** The address of Redis, also with user and password, or `rediss:` for TLS. Default `'redis://127.0.0.1:6379'`. */
  readonly redis?: string;
  /**
   * Options of the pipeline: output, topK, maxBatch, decoding, limits of images. How images are decoded is part of the key of a result:
   * these options count, and not those with which the model was loaded. `maxDelayMs` is 20 by default: full batches cost less.
   */
  readonly pipeline?: PipelineOptions;
  /** Jobs that the worker holds at a time, 1 to 4,096. Default: three times `maxBatch`, so 48. */
  readonly concurrency?: number;
  /** The folder of the paths in jobs. What is outside, also by a link, is refused. Default: jobs with paths are refused. */
  readonly root?: string;
  /**
   * The beginnings of addresses that may be fetched: `'https://bucket.example/photos/'`. Scheme, host and port must be the same.
   * Redirects are followed to allowed addresses alone. Default: jobs with addresses are refused.
   */
  readonly urlPrefixes?: readonly string[];
  /** The most bytes of an image. Default 50,000,000. */
  readonly maxImageBytes?: number;
  /** How long the download of an image may take, in milliseconds. Default 60,000. */
  readonly fetchTimeoutMs?: number;
  /** Where results go. Default: the return values of the jobs. */
  readonly results?: ResultsOption;
  /** Attempts for an image whose failures may pass: network, memory, time. Default 6, over about half a minute. */
  readonly attempts?: number;
  /** Completed jobs that Redis keeps. Default: all, so that a reference is computed once. */
  readonly keepCompleted?: number;
  /** Hears of failures, and of connections that break and come back. */
  readonly onEvent?: (event: WorkerEvent) => void;
}

/** How long a batch waits to fill. Nobody waits for a job, and full batches cost the processor less, here and in Redis. */
const fullBatchMs = 20;

const workerKeys = {
  model: true,
  queue: true,
  redis: true,
  pipeline: true,
  concurrency: true,
  root: true,
  urlPrefixes: true,
  maxImageBytes: true,
  fetchTimeoutMs: true,
  results: true,
  attempts: true,
  keepCompleted: true,
  onEvent: true,
} as const satisfies KeysOf<WorkerOptions>;

/** The options with their defaults. */
export interface WorkerSettings extends Omit<WorkerOptions, 'results' | 'keepCompleted' | 'root'> {
  readonly redis: string;
  readonly pipeline: PipelineOptions;
  readonly concurrency: number;
  readonly root: string | undefined;
  readonly urlPrefixes: readonly string[];
  readonly maxImageBytes: number;
  readonly fetchTimeoutMs: number;
  readonly results: ResultsOption | undefined;
  readonly attempts: number;
  readonly keepCompleted: number | undefined;
  readonly onEvent: (event: WorkerEvent) => void;
}

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function workerSettings(given: WorkerOptions): WorkerSettings {
  const options = optionsOf(given, workerKeys);
  checkObject('model', options.model);
  checkQueueName(options.queue);
  const { redis = defaultRedis, pipeline = {}, urlPrefixes = [], root, onEvent } = options;
  checkRedisUrl(redis);
  checkObject('pipeline', pipeline);
  checkNumber('maxBatch', pipeline.maxBatch, 1, 1024);
  checkNumber('concurrency', options.concurrency, 1, 4096);
  checkNumber('maxImageBytes', options.maxImageBytes, 1);
  checkNumber('fetchTimeoutMs', options.fetchTimeoutMs, 1, longestTimer);
  checkNumber('attempts', options.attempts, 1);
  checkNumber('keepCompleted', options.keepCompleted, 0);
  if (root !== undefined && (typeof (root as unknown) !== 'string' || root === ''))
    throw invalidArgument('The option root is no folder', root, 'the path of a folder');
  if (!Array.isArray(urlPrefixes))
    throw invalidArgument('The option urlPrefixes is no list', urlPrefixes, 'a list of addresses');
  if (onEvent !== undefined && typeof (onEvent as unknown) !== 'function')
    throw invalidArgument('The option onEvent is no function', onEvent, 'a function');
  if (options.results !== undefined) checkObject('results', options.results);
  return {
    model: options.model,
    queue: options.queue,
    redis,
    pipeline: {
      ...pipeline,
      maxDelayMs: pipeline.maxDelayMs ?? fullBatchMs,
      colorProfile: pipeline.colorProfile ?? defaultDecode.colorProfile,
      decode: pipeline.decode ?? defaultDecode.decode,
      decoder: pipeline.decoder ?? defaultDecode.decoder,
      documents: pipeline.documents ?? defaultDecode.documents,
    },
    concurrency: options.concurrency ?? Math.min(4096, 3 * (pipeline.maxBatch ?? 16)),
    root,
    urlPrefixes,
    maxImageBytes: options.maxImageBytes ?? 50_000_000,
    fetchTimeoutMs: options.fetchTimeoutMs ?? 60_000,
    results: options.results,
    attempts: options.attempts ?? 6,
    keepCompleted: options.keepCompleted,
    onEvent: onEvent ?? (() => undefined),
  };
}
