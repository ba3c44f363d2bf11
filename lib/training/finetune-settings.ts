import {
  checkChoice,
  checkFlag,
  checkNumber,
  givenOf,
  invalidArgument,
  optionsOf,
  type KeysOf,
} from '../check/option.js';
import { native } from '../native/load.js';

/** How training pictures are changed, each time in another way. Every picture depends on the seed, the epoch and its number alone. */
export interface AugmentOptions {
  /** Whether half of the pictures are mirrored. Default true; pass false where left and right differ, as in text. */
  readonly flip?: boolean;
  /**
   * The least share of a picture's area that a random crop covers, above 0 and at most 1. 1 takes the centre, as in inference. Default
   * 0.35.
   */
  readonly leastArea?: number;
  /** By which share brightness, contrast and saturation change at most, 0 to 1. Default 0: not at all. */
  readonly colorJitter?: number;
  /** Alpha of mixup (arXiv 1710.09412), 0 to 100: pairs of pictures and their classes are blended. Default 0: off. */
  readonly mixup?: number;
  /**
   * Alpha of cutmix (arXiv 1905.04899), 0 to 100: a rectangle of one picture replaces that of another. With mixup, half of the steps have
   * either. Default 0: off.
   */
  readonly cutmix?: number;
}

/** How all layers of a network are trained. */
export interface FinetuneSettings {
  /** The most passes over the training pictures. Default 10. */
  readonly epochs?: number;
  /** The pictures of a step, at least 2. A last batch of one picture joins the batch before it. Default 32. */
  readonly batchSize?: number;
  /** `'adamw'`, or `'sgd'` with Nesterov's momentum. Default `'adamw'`. */
  readonly optimizer?: 'sgd' | 'adamw';
  /** The highest learning rate, above 0. It rises linearly in the warm-up and falls along a cosine to 0. Default 0.001, and 0.02 for SGD. */
  readonly learningRate?: number;
  /** Of SGD, from 0 and below 1. Default 0.9. */
  readonly momentum?: number;
  /** At least 0; biases and the factors of batch normalisations do not decay. Default 0.05, and 0.0001 for SGD. */
  readonly weightDecay?: number;
  /** The share of all steps that the warm-up takes, from 0 and below 1. Default 0.05. */
  readonly warmup?: number;
  /** The share of the target that is spread over all classes, from 0 and below 1. Default 0.1. */
  readonly labelSmoothing?: number;
  /** The decay of the moving average of weights and statistics, which becomes the model; from 0, no average, and below 1. Default 0.99. */
  readonly ema?: number;
  /** The largest norm of all gradients together, by which they are scaled down; 0 leaves them as they are. Default 1. */
  readonly maxGradientNorm?: number;
  /** After so many epochs without a better one, the training stops; 0 never stops it. Default 5. */
  readonly patience?: number;
  /** In so many first epochs only the classifier learns, and batch normalisations keep their statistics. Default 0. */
  readonly frozenEpochs?: number;
  /** How training pictures are changed. */
  readonly augment?: AugmentOptions;
  /** Of everything random. The same seed, pictures and number of threads give the same weights, bit for bit. Default 0. */
  readonly seed?: number;
  /** Threads of a step, 1 to 256. Default: those of the model. */
  readonly threads?: number;
  /** The most bytes of decoded pictures in memory; more of them go to a file beside the checkpoints. Default 1,073,741,824 (1 GiB). */
  readonly maxMemoryBytes?: number;
  /** The least time between two checkpoints, in seconds; 0 writes one after every step. Default 60. */
  readonly checkpointSeconds?: number;
}

const augmentKeys = {
  flip: true,
  leastArea: true,
  colorJitter: true,
  mixup: true,
  cutmix: true,
} as const satisfies KeysOf<AugmentOptions>;

export const finetuneKeys = {
  epochs: true,
  batchSize: true,
  optimizer: true,
  learningRate: true,
  momentum: true,
  weightDecay: true,
  warmup: true,
  labelSmoothing: true,
  ema: true,
  maxGradientNorm: true,
  patience: true,
  frozenEpochs: true,
  augment: true,
  seed: true,
  threads: true,
  maxMemoryBytes: true,
  checkpointSeconds: true,
} as const satisfies KeysOf<FinetuneSettings>;

/** The settings with their defaults. */
export type FullFinetuneSettings = Required<Omit<FinetuneSettings, 'augment'>> & {
  readonly augment: Required<AugmentOptions>;
};

/**
 * The settings with their defaults, read once and checked.
 *
 * @param threads - of the model
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`
 */
export function finetuneSettings(given: FinetuneSettings, threads: number): FullFinetuneSettings {
  const options = givenOf(optionsOf(given, finetuneKeys, 'settings'));
  const { optimizer = 'adamw', augment = {} } = options;
  checkNumber('epochs', options.epochs, 1, 100_000);
  checkNumber('batchSize', options.batchSize, 2, 4096);
  checkChoice('optimizer', optimizer, ['sgd', 'adamw']);
  checkPositive('learningRate', options.learningRate);
  checkShare('momentum', options.momentum);
  checkNumber('weightDecay', options.weightDecay, 0, undefined, 'a number');
  checkShare('warmup', options.warmup);
  checkShare('labelSmoothing', options.labelSmoothing);
  checkShare('ema', options.ema);
  checkNumber('maxGradientNorm', options.maxGradientNorm, 0, undefined, 'a number');
  checkNumber('patience', options.patience, 0);
  checkNumber('frozenEpochs', options.frozenEpochs, 0);
  checkNumber('seed', options.seed, 0);
  checkNumber('threads', options.threads, 1, native().runtime().maxThreads);
  checkNumber('maxMemoryBytes', options.maxMemoryBytes, 0);
  checkNumber('checkpointSeconds', options.checkpointSeconds, 0, undefined, 'a number');
  const isSgd = optimizer === 'sgd';
  return {
    epochs: 10,
    batchSize: 32,
    learningRate: isSgd ? 0.02 : 0.001,
    momentum: 0.9,
    weightDecay: isSgd ? 0.0001 : 0.05,
    warmup: 0.05,
    labelSmoothing: 0.1,
    ema: 0.99,
    maxGradientNorm: 1,
    patience: 5,
    frozenEpochs: 0,
    seed: 0,
    threads,
    maxMemoryBytes: 2 ** 30,
    checkpointSeconds: 60,
    ...options,
    optimizer,
    augment: augmentSettings(augment),
  };
}

function augmentSettings(given: AugmentOptions): Required<AugmentOptions> {
  const options = givenOf(optionsOf(given, augmentKeys, 'augment'));
  checkFlag('flip', options.flip);
  checkPositive('leastArea', options.leastArea, 1);
  checkNumber('colorJitter', options.colorJitter, 0, 1, 'a number');
  checkNumber('mixup', options.mixup, 0, 100, 'a number');
  checkNumber('cutmix', options.cutmix, 0, 100, 'a number');
  return { flip: true, leastArea: 0.35, colorJitter: 0, mixup: 0, cutmix: 0, ...options };
}

function checkShare(name: string, value: unknown): void {
  if (value === undefined || (Number.isFinite(value) && (value as number) >= 0 && (value as number) < 1))
    return;
  throw invalidArgument(`The option ${name} is out of range`, value, 'a number of at least 0, below 1');
}

function checkPositive(name: string, value: unknown, most = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined || (Number.isFinite(value) && (value as number) > 0 && (value as number) <= most))
    return;
  const range = most === Number.MAX_SAFE_INTEGER ? 'above 0' : `above 0, at most ${most}`;
  throw invalidArgument(`The option ${name} is out of range`, value, `a number ${range}`);
}
