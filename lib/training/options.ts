import {
  checkChoice,
  checkFlag,
  checkNumber,
  checkText,
  invalidArgument,
  optionsOf,
  type KeysOf,
} from '../check/option.js';
import { pathOf } from '../files.js';
import { decodeKeys, decodeSettings, type DecodeOptions, type DecodeSettings } from '../image/options.js';
import { throwIfAborted, runKeys, type RunOptions } from '../native/jobs.js';
import { cacheFolder } from '../weights/index.js';
import type { CachePlace } from './embedding-cache.js';
import { finetuneKeys, finetuneSettings, type FinetuneSettings } from './finetune-settings.js';
import {
  trainModes,
  type EpochReport,
  type StepReport,
  type TrainMode,
  type TrainProgress,
  type TrainWarning,
} from './types.js';

/** Options of a training, but for the network from which it starts. */
export interface TrainingOptions extends DecodeOptions, FinetuneSettings, RunOptions {
  /**
   * `'probe'`, the default: the network stays as it is, and only its classifier is new: one pass over the images, then seconds.
   * `'finetune'`: all layers are trained, for hours.
   */
  readonly mode?: TrainMode;
  /** Of the images of each class, the share that is kept for validation, from 0 to 0.9. Default 0.2. */
  readonly valSplit?: number;
  /** A folder with a folder for each class, whose images are the validation instead. */
  readonly validation?: string | URL;
  /** A whole number of at least 0, which decides the split and all that is random. Default 0. */
  readonly seed?: number;
  /**
   * The penalty of the squared weights of a probe, at least 0, for embeddings whose mean variance is 1. Default: that of several with
   * the lowest loss on the validation images.
   */
  readonly l2?: number;
  /**
   * What becomes of images that cannot be read or decoded: `'skip'`, the default, trains without them; `'refuse'` rejects, before the
   * training. Each is a warning first.
   */
  readonly broken?: 'skip' | 'refuse';
  /** Whether embeddings are kept on disk for the next training with the same network. Default true. */
  readonly cache?: boolean;
  /** The cache folder. Default `cacheFolder()`. */
  readonly cacheDir?: string;
  /** The most bytes of all embeddings on disk. Default 1,073,741,824 (1 GiB): 200,000 images. */
  readonly cacheBytes?: number;
  /** Whether the result has a report: a page with curves, classes, confusions and the worst mistakes. Default false. */
  readonly report?: boolean;
  /** The folder of the checkpoints of `'finetune'`. Default: none are kept. */
  readonly checkpoints?: string | URL;
  /** Whether `'finetune'` goes on from the last checkpoint in that folder. Default false. */
  readonly resume?: boolean;
  /** Called with what the data lack. Default: a warning of the process. */
  readonly onWarning?: (warning: TrainWarning) => void;
  /** Called often, with how far a stage is. */
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Called after each epoch, or each fit of a probe. */
  readonly onEpoch?: (report: EpochReport) => void;
  /** Called after each step of `'finetune'`. */
  readonly onStep?: (report: StepReport) => void;
}

export const trainingKeys = {
  ...decodeKeys,
  ...finetuneKeys,
  ...runKeys,
  mode: true,
  valSplit: true,
  validation: true,
  seed: true,
  l2: true,
  broken: true,
  cache: true,
  cacheDir: true,
  cacheBytes: true,
  report: true,
  checkpoints: true,
  resume: true,
  onWarning: true,
  onProgress: true,
  onEpoch: true,
  onStep: true,
} as const satisfies KeysOf<TrainingOptions>;

/** The options with their defaults. */
export interface TrainingSettings {
  readonly mode: TrainMode;
  readonly valSplit: number;
  readonly validation: string | undefined;
  readonly seed: number;
  readonly l2: number | undefined;
  readonly broken: 'skip' | 'refuse';
  readonly cache: CachePlace | undefined;
  readonly report: boolean;
  readonly checkpoints: string | undefined;
  readonly resume: boolean;
  readonly decode: DecodeSettings;
  readonly finetune: FinetuneSettings;
  readonly signal: AbortSignal | undefined;
  readonly warn: (warning: TrainWarning) => void;
  readonly onProgress: ((progress: TrainProgress) => void) | undefined;
  readonly onEpoch: ((report: EpochReport) => void) | undefined;
  readonly onStep: ((report: StepReport) => void) | undefined;
}

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_ABORTED` */
export function trainingSettings(given: TrainingOptions): TrainingSettings {
  const options = optionsOf(given, trainingKeys);
  throwIfAborted(options);
  checkChoice('mode', options.mode, trainModes);
  checkNumber('valSplit', options.valSplit, 0, 0.9, 'a number');
  checkNumber('seed', options.seed, 0);
  checkNumber('l2', options.l2, 0, Number.MAX_VALUE, 'a number');
  checkChoice('broken', options.broken, ['skip', 'refuse']);
  checkNumber('cacheBytes', options.cacheBytes, 0);
  for (const name of ['cache', 'report', 'resume'] as const) checkFlag(name, options[name]);
  for (const name of ['onWarning', 'onProgress', 'onEpoch', 'onStep'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw invalidArgument(`The option ${name} is not a function`, options[name], 'a function');
  }
  if (options.cacheDir !== undefined) checkText('cacheDir', options.cacheDir);
  const finetune = ofFinetune(options);
  finetuneSettings(finetune, 1); // checks them
  const {
    mode = 'probe',
    valSplit = 0.2,
    seed = 0,
    broken = 'skip',
    report = false,
    resume = false,
  } = options;
  return {
    mode,
    valSplit,
    validation: options.validation === undefined ? undefined : pathOf(options.validation),
    seed,
    l2: options.l2,
    broken,
    cache: cacheOf(options),
    report,
    checkpoints: options.checkpoints === undefined ? undefined : pathOf(options.checkpoints),
    resume,
    decode: decodeSettings(options),
    finetune,
    signal: options.signal,
    warn: options.onWarning ?? warnOfProcess,
    onProgress: options.onProgress,
    onEpoch: options.onEpoch,
    onStep: options.onStep,
  };
}

/** Those of the options that belong to the training of all layers. */
function ofFinetune(options: TrainingOptions): FinetuneSettings {
  const entries = Object.entries(options).filter(([name]) => Object.hasOwn(finetuneKeys, name));
  return Object.fromEntries(entries);
}

function cacheOf({ cache = true, cacheDir, cacheBytes = 2 ** 30 }: TrainingOptions): CachePlace | undefined {
  if (!cache || cacheBytes === 0) return undefined;
  return { root: cacheDir ?? cacheFolder(), mostBytes: cacheBytes };
}

function warnOfProcess({ message }: TrainWarning): void {
  process.emitWarning(message, { type: 'GhostNetWarning', code: 'GHOSTNET_TRAINING_DATA' });
}
