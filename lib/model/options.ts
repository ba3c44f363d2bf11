import { checkFlag, checkNumber, invalidArgument, optionsOf, reading, type KeysOf } from '../check/option.js';
import { inWords } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { decodeKeys, decodeSettings, type DecodeOptions } from '../image/options.js';
import { transformKeys, type TransformOptions } from '../image/transform.js';
import type { StageRow } from '../native/addon.js';
import type { Device } from '../native/device.js';
import { runKeys, type RunOptions } from '../native/jobs.js';
import { native } from '../native/load.js';
import { families, isVariantName, nearestVariant } from '../weights/index.js';
import type { Precision } from './precision.js';

/** Options for creating a model, in any way. */
export interface ModelOptions extends TransformOptions, DecodeOptions, RunOptions {
  /** A name for each class, in the order of the logits. */
  readonly labels?: readonly string[];
  /**
   * Threads of one run, 1 to 256. Default: the processors that the process may use, as limited by its affinity mask and the
   * CPU quota of its control group.
   */
  readonly threads?: number;
  /**
   * The code that computes: `'fused'`, the engine of this package, or `'reference'`, LibTorch's modules one after another,
   * which are slower. Their results differ by rounding. Default `'fused'`.
   */
  readonly backend?: 'fused' | 'reference';
  /**
   * The number type in which the engine stores activations and convolution weights; see {@link Precision}. Sums, inputs and
   * outputs are always float32. Every precision but the default requires the backend `'fused'`. Default `'float32'`.
   */
  readonly precision?: Precision;
  /**
   * Where the network runs: `'cpu'`, `'cuda'`, `'cuda:1'` and so on, or `'auto'`: a GPU if one can be used, else the CPU, with
   * one warning per process. Default `'cpu'`.
   */
  readonly device?: Device;
}

const modelKeys = {
  ...transformKeys,
  ...decodeKeys,
  ...runKeys,
  labels: true,
  threads: true,
  backend: true,
  precision: true,
  device: true,
} as const satisfies KeysOf<ModelOptions>;

/** Options of {@link GhostNet.stateDict} and {@link GhostNet.save}. */
export interface StateOptions extends RunOptions {
  /**
   * Whether the branches of a GhostNetV3 or a RepGhost are folded into one convolution each, in float64. The result computes the
   * same function with fewer parameters, and is not for training. Networks without branches stay as they are. Default false.
   */
  readonly deploy?: boolean;
}

export const stateKeys = { ...runKeys, deploy: true } as const satisfies KeysOf<StateOptions>;

/** Options of {@link GhostNet.load}; they take precedence over the metadata of the file. */
export interface LoadOptions extends ModelOptions {
  /** The weights of a training checkpoint to use: `'auto'`, the default, prefers the moving average if there is one that fits. */
  readonly weights?: 'auto' | 'ema' | 'raw';
  /**
   * The start of the keys of the network in the file, such as `'student.'`; `''` for keys without one. Needed only if several networks
   * fit, which is an error otherwise.
   */
  readonly prefix?: string;
  /**
   * Whether weights may be NaN or infinite. Default false. `forward()` and `embed()` of a tensor then return what the network
   * computes; an image whose scores or embedding are not finite is an error.
   */
  readonly allowNonFinite?: boolean;
  /** The most bytes of a weights file, which is read into memory. Default 2,147,483,648 (2 GiB). */
  readonly maxFileBytes?: number;
}

/** The options that concern the reading of weights. */
export type OpenOptions = Pick<LoadOptions, 'weights' | 'prefix' | 'maxFileBytes' | 'signal'>;

export const openKeys = {
  ...runKeys,
  weights: true,
  prefix: true,
  maxFileBytes: true,
} as const satisfies KeysOf<OpenOptions>;

const loadKeys = { ...modelKeys, ...openKeys, allowNonFinite: true } as const satisfies KeysOf<LoadOptions>;

/** Options of {@link GhostNet.create}. */
export interface CreateOptions extends ModelOptions {
  /**
   * `'ghostnet_'`, `'ghostnetv2_'`, `'ghostnetv3_'` or `'repghostnet_'` and the width in hundredths, such as `'ghostnet_050'` or
   * `'ghostnetv2_160'`. A new GhostNetV3 or RepGhost has the branches that it is trained with. `'ghostnet_first_100'` is the network
   * of the first GhostNet code. Default `'ghostnet_100'`.
   */
  readonly variant?: string;
  /** A stage table that replaces that of the variant: rows of [kernel, expansion, out, seRatio, stride, attention?]. */
  readonly stages?: readonly (readonly StageRow[])[];
  /** Width multiplier, above 0; replaces that of the variant. */
  readonly width?: number;
  /** Number of classes; 0 omits the classifier. Default 1000. */
  readonly numClasses?: number;
  /** Dropout before the classifier in training, in [0, 1). Default 0.2. */
  readonly dropout?: number;
  /** A whole number of at least 0: the weights equal those of PyTorch after `torch.manual_seed(seed)`. Default: random. */
  readonly seed?: number;
}

const createKeys = {
  ...modelKeys,
  variant: true,
  stages: true,
  width: true,
  numClasses: true,
  dropout: true,
  seed: true,
} as const satisfies KeysOf<CreateOptions>;

/**
 * The options of a model, read once and checked, except those that native code checks.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`
 */
function modelOptions<T extends ModelOptions>(given: T, keys: KeysOf<T>): T {
  const options = optionsOf(given, keys);
  const { threads, labels } = options;
  checkNumber('threads', threads, 1, native().runtime().maxThreads);
  decodeSettings(options); // checks them
  if (labels === undefined) return options;
  return { ...options, labels: reading(() => labelsOf(labels)) };
}

/** As many as classes of a network. */
const mostLabels = 2 ** 22;

function labelsOf(labels: unknown): readonly string[] {
  if (Array.isArray(labels) && labels.length <= mostLabels) {
    const copy = [...(labels as unknown[])];
    if (copy.every((label) => typeof label === 'string')) return copy;
  }
  throw invalidArgument('The option labels is not a list of strings', labels, 'an array of strings');
}

/** As {@link modelOptions}, for weights. */
export function loadOptions(given: LoadOptions): LoadOptions {
  const options = modelOptions(given, loadKeys);
  checkFlag('allowNonFinite', options.allowNonFinite);
  return options;
}

/** As {@link modelOptions}, for a new network. */
export function createOptions(given: CreateOptions): CreateOptions {
  const options = modelOptions(given, createKeys);
  checkVariant(options.variant);
  checkNumber('seed', options.seed, 0);
  return options;
}

function checkVariant(variant: unknown): void {
  if (variant === undefined || (typeof variant === 'string' && isVariantName(variant))) return;
  const meant = typeof variant === 'string' ? nearestVariant(variant) : undefined;
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The variant is unknown', {
    found: inWords(variant),
    expected: `${families.map((family) => `${family}_`).join(', ')} and the width in hundredths, such as ghostnetv2_100`,
    remedy: meant === undefined ? undefined : `Did you mean ${meant}?`,
  });
}
