import { checkChoice, checkNumber, longestTimer, optionsOf, type KeysOf } from '../check/option.js';
import { runKeys, type RunOptions } from '../native/jobs.js';
import { decodeKeys, decodeSettings, type DecodeOptions, type DecodeSettings } from '../image/options.js';

/** What a pipeline computes for each image. */
export type PipelineOutput = 'classify' | 'embed';

/** Options of {@link GhostNet.pipeline}. Those of decoding replace the options of the model. */
export interface PipelineOptions extends DecodeOptions {
  /** What a result is: the best classes, or an embedding. Default `'classify'`. */
  readonly output?: PipelineOutput;
  /** Classes per image, 1 to the number of classes of the model. Default: 5, or all if there are fewer. */
  readonly topK?: number;
  /** The most images of one run, 1 to 1,024. Default 16. */
  readonly maxBatch?: number;
  /** How long a batch waits to fill, in milliseconds. Default 0: what waits when the engine is free is the batch. */
  readonly maxDelayMs?: number;
  /**
   * Images that may wait, at least 1. It bounds the memory and the waiting time. The batch that is being computed takes its places,
   * too, as long as two more batches have theirs. Default 256.
   */
  readonly maxQueue?: number;
  /**
   * What `run()` does while the queue is full: `'reject'`, the default, rejects with `GHOSTNET_QUEUE_FULL`; `'wait'` waits for a
   * place. Streams always wait.
   */
  readonly whenFull?: 'reject' | 'wait';
  /** From `run()` to the start of the computation, in milliseconds; then `GHOSTNET_TIMEOUT`. Default: no limit. */
  readonly timeoutMs?: number;
}

const pipelineKeys = {
  ...decodeKeys,
  output: true,
  topK: true,
  maxBatch: true,
  maxDelayMs: true,
  maxQueue: true,
  whenFull: true,
  timeoutMs: true,
} as const satisfies KeysOf<PipelineOptions>;

/** Options of a call for images. */
export interface BatchOptions extends RunOptions {
  /** The most images of one run, 1 to 1,024. Default 16. Calls with the same number share their batches. */
  readonly batchSize?: number;
}

export const batchKeys = { ...runKeys, batchSize: true } as const satisfies KeysOf<BatchOptions>;

/** Options of {@link GhostNet.classify}. */
export interface ClassifyOptions extends BatchOptions {
  /** Classes per image, 1 to the number of classes of the model. Default: 5, or all if there are fewer. */
  readonly topK?: number;
}

export const classifyKeys = { ...batchKeys, topK: true } as const satisfies KeysOf<ClassifyOptions>;

/** The options with their defaults. */
export interface PipelineSettings {
  readonly output: PipelineOutput;
  readonly topK: number;
  readonly maxBatch: number;
  readonly maxDelayMs: number;
  readonly maxQueue: number;
  readonly whenFull: 'reject' | 'wait';
  readonly timeoutMs: number | undefined;
  readonly decode: DecodeSettings;
}

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function pipelineSettings(
  given: PipelineOptions,
  numClasses: number,
  decode: DecodeSettings,
): PipelineSettings {
  const options = optionsOf(given, pipelineKeys);
  checkChoice('output', options.output, ['classify', 'embed']);
  // Without classes there are embeddings, for which the number does not count.
  checkNumber('topK', options.topK, 1, Math.max(1, numClasses));
  checkNumber('maxBatch', options.maxBatch, 1, 1024);
  checkNumber('maxDelayMs', options.maxDelayMs, 0, longestTimer, 'a number');
  checkNumber('maxQueue', options.maxQueue, 1);
  checkChoice('whenFull', options.whenFull, ['reject', 'wait']);
  checkNumber('timeoutMs', options.timeoutMs, 1, longestTimer, 'a number');
  return {
    output: options.output ?? 'classify',
    topK: options.topK ?? Math.min(5, numClasses),
    maxBatch: options.maxBatch ?? 16,
    maxDelayMs: options.maxDelayMs ?? 0,
    maxQueue: options.maxQueue ?? 256,
    whenFull: options.whenFull ?? 'reject',
    timeoutMs: options.timeoutMs,
    decode: decodeSettings(options, decode),
  };
}
