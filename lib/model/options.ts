import { checkChoice, checkNumber, checkObject, invalidArgument } from '../check/option.js';
import type { DecodeOptions } from '../image/decode.js';
import type { TransformOptions } from '../image/transform.js';
import type { StageRow } from '../native/addon.js';
import type { Device } from '../native/device.js';
import type { RunOptions } from '../native/jobs.js';
import { native } from '../native/load.js';
import type { Precision } from './precision.js';

/** Options that every way of making a model takes. */
export interface ModelOptions extends TransformOptions, DecodeOptions, RunOptions {
  /** A name for each class, in the order of the logits. */
  readonly labels?: readonly string[];
  /**
   * Threads of one run, 1 to 256. Default: the processors that this process may use, by its affinity mask and the CPU quota
   * of its control group.
   */
  readonly threads?: number;
  /**
   * The code that computes: `'fused'`, the engine of this package, or `'reference'`, LibTorch's modules one after another,
   * which is slower. Their results differ by rounding. Default `'fused'`.
   */
  readonly backend?: 'fused' | 'reference';
  /**
   * The number type in which the engine stores activations and the weights of convolutions: see {@link Precision}. Sums are
   * float32 in all of them, and inputs and outputs stay float32. All but the default need the backend `'fused'`. Default
   * `'float32'`.
   */
  readonly precision?: Precision;
  /**
   * Where the network runs: `'cpu'`, `'cuda'`, `'cuda:1'` and so on, or `'auto'`: a GPU where one can be used, else the CPU,
   * with one warning in a process. Default `'cpu'`.
   */
  readonly device?: Device;
}

/** Options of {@link GhostNet.load}; they take precedence over the metadata of the file. */
export interface LoadOptions extends ModelOptions {
  /** The weights to take from a training checkpoint: `'auto'`, the default, prefers the moving average where there is one. */
  readonly weights?: 'auto' | 'ema' | 'raw';
}

/** Options of {@link GhostNet.create}. */
export interface CreateOptions extends ModelOptions {
  /** `'ghostnet_050'`, `'ghostnet_100'`, `'ghostnet_130'`, or any width in hundredths. Default `'ghostnet_100'`. */
  readonly variant?: string;
  /** A stage table of your own, instead of the variant's: rows of [kernel, expansion, out, seRatio, stride]. */
  readonly stages?: readonly (readonly StageRow[])[];
  /** Width multiplier, above 0; instead of the variant's. */
  readonly width?: number;
  /** Default 1000. */
  readonly numClasses?: number;
  /** Before the classifier while training, from 0 up to, not including, 1. Default 0.2. */
  readonly dropout?: number;
  /** A whole number from 0: the weights are those of the PyTorch reference after `torch.manual_seed(seed)`. Default: random. */
  readonly seed?: number;
}

/**
 * Checks the options of a model, except those that native code checks.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`
 */
export function checkModelOptions(options: ModelOptions): void {
  checkObject('options', options);
  const { threads, labels, colorProfile } = options;
  checkNumber('threads', threads, 1, native().runtime().maxThreads);
  checkChoice('colorProfile', colorProfile, ['ignore', 'apply']);
  if (labels === undefined) return;
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string')) {
    throw invalidArgument('The option labels is not a list of strings', labels, 'an array of strings');
  }
}

/** As {@link checkModelOptions}, for a new network. */
export function checkCreateOptions(options: CreateOptions): void {
  checkModelOptions(options);
  checkNumber('seed', options.seed, 0);
}

/** The options that are given. One that is present but undefined must not hide the metadata of the file. */
export function givenOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
