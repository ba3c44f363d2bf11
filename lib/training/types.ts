import type { DecodeOptions } from '../image/options.js';
import type { NativeDescription } from '../native/addon.js';
import type { RunOptions } from '../native/jobs.js';
import type { Pipeline } from '../pipeline/index.js';
import type { Tensor } from '../tensor.js';

/** How a classifier is trained. */
export type TrainMode = 'probe' | 'finetune';

export const trainModes: readonly TrainMode[] = ['probe', 'finetune'];

/** A labelled image on disk. */
export interface Sample {
  /** The path, for `node:fs`. */
  readonly path: string;
  /** The index of its class. */
  readonly label: number;
  /** SHA-256 of the content of the file, in 64 hexadecimal digits. */
  readonly key: string;
}

/** The samples of a training, and those by which it is judged. */
export interface Split {
  readonly train: readonly Sample[];
  readonly validation: readonly Sample[];
}

/** What an epoch of a training was like; of a probe, a fit with one penalty. */
export interface EpochReport {
  /** From 1 on. */
  readonly epoch: number;
  readonly epochs: number;
  /** What the optimiser minimises: the mean over the epoch. */
  readonly trainLoss: number;
  /** Mean cross-entropy of the validation images; NaN if there are none. */
  readonly validationLoss: number;
  /** Share of the validation images whose best class is right, in [0, 1]; NaN if there are none. */
  readonly top1: number;
  /** At the end of the epoch; 0 for a probe, which has none. */
  readonly learningRate: number;
  /** Images of the epoch. */
  readonly images: number;
  readonly seconds: number;
  /** The penalty of a fit of a probe. */
  readonly l2?: number;
}

/** How far an epoch is. */
export interface StepReport {
  readonly epoch: number;
  /** Steps that are done, from 1 on. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  readonly imagesPerSecond: number;
}

/** A network, as far as a training needs it: a `GhostNet`. Its weights are copied, never shared. */
export interface SourceNetwork {
  readonly info: NativeDescription & {
    readonly labels: readonly string[];
    readonly threads: number;
    readonly precision: string;
    readonly device: string;
  };
  stateDict(options?: RunOptions): Promise<Map<string, Tensor<'float32' | 'int64'>>>;
  pipeline(
    options: DecodeOptions & { readonly output: 'embed'; readonly maxBatch?: number },
  ): Pipeline<Float32Array>;
  preprocess(image: string, options?: RunOptions): Promise<Pick<Tensor, 'dispose'>>;
}

/** Something of the data that a training does without, and that whoever made the data should know. */
export interface TrainWarning {
  /**
   * `'unreadable'`: an image that cannot be read or decoded; `'empty class'`: a folder without images; `'no validation'`: a class with
   * too few images to be judged; `'two classes'`: the same image in two classes; `'both parts'`: images of the validation that are trained with; `'no class'`: images beside the folders of the
   * classes; `'format'`: pictures in formats that are not read; `'cache'`: embeddings cannot be kept.
   */
  readonly kind:
    | 'unreadable'
    | 'empty class'
    | 'no validation'
    | 'two classes'
    | 'both parts'
    | 'no class'
    | 'format'
    | 'cache';
  /** The file, the class or the folder that it concerns. */
  readonly name: string;
  /** A sentence for people, which begins with the name. */
  readonly message: string;
  /** The code of the error, if there is one. */
  readonly code?: string;
}

/** How far a training is. */
export interface TrainProgress {
  /** `'read'`: files are read and hashed; `'embed'` or `'decode'`: images are; `'fit'`: penalties are tried; `'train'`: steps of an epoch. */
  readonly stage: 'read' | 'embed' | 'decode' | 'fit' | 'train';
  readonly done: number;
  readonly total: number;
  /** Since the stage began, or the epoch, in seconds. */
  readonly seconds: number;
}
