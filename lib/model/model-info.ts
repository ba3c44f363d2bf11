import { GhostNetError } from '../errors.js';
import type { TransformOptions } from '../image/transform.js';
import type { NativeDescription, StageRow, WeightsForm } from '../native/addon.js';
import type { Placement } from '../native/device.js';
import { native } from '../native/load.js';
import type { TrainingRecord } from '../training/record.js';
import type { ModelOptions } from './options.js';
import type { Precision } from './precision.js';

/** A description of a model. */
export interface ModelInfo extends Required<TransformOptions> {
  /** A name such as `'ghostnet_100'`, or `'custom'`. */
  readonly variant: string;
  /** Width multiplier. */
  readonly width: number;
  /** The stage table: rows of [kernel, expansion, out, seRatio, stride, attention?], before the width multiplier. */
  readonly stages: readonly (readonly StageRow[])[];
  /** How the weights of ghost modules are stored. */
  readonly form: WeightsForm;
  /** Smallest height and width of an input in pixels: 32, and 33 for GhostNetV2 and V3. */
  readonly leastSide: number;
  /** Number of classes; 0 if the weights have no classifier, so that only `embed()` works. */
  readonly numClasses: number;
  /** Dropout before the classifier in training, in [0, 1). */
  readonly dropout: number;
  /** Length of an embedding. */
  readonly features: number;
  /** Trainable parameters. */
  readonly parameters: number;
  /** Multiply-adds for one image at the input size, counted as in the paper. */
  readonly multiplyAdds: number;
  /** Names of the classes; `'class 0'`, `'class 1'`, ... if neither the file nor the options contain labels. */
  readonly labels: readonly string[];
  /** What is known of the training, from the metadata of the file: mode, seed, numbers of images, accuracy; absent if nothing is. */
  readonly training?: TrainingRecord;
  /** Threads of one run. */
  readonly threads: number;
  /** The number type in which the engine stores activations and the weights of convolutions. */
  readonly precision: Precision;
  /** The device on which the model runs. */
  readonly device: 'cpu' | `cuda:${number}`;
}

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` if the number of labels does not match the number of classes */
export function infoOf(
  description: NativeDescription,
  {
    labels,
    threads,
    precision = 'float32',
    training,
  }: ModelOptions & { readonly training?: TrainingRecord | undefined },
  { device }: Placement,
): ModelInfo {
  return Object.freeze({
    ...description,
    labels: labelsFor(labels, description.numClasses),
    ...(training && { training: Object.freeze(training) }),
    threads: threads ?? native().runtime().defaultThreads,
    precision,
    device,
  });
}

/** @throws {@link GhostNetError} `GHOSTNET_NO_CLASSIFIER` if a model has none */
export function requireClassifier({ numClasses, variant }: ModelInfo): void {
  if (numClasses > 0) return;
  throw new GhostNetError('GHOSTNET_NO_CLASSIFIER', `The network ${variant} has no classifier`);
}

function labelsFor(labels: readonly string[] | undefined, numClasses: number): readonly string[] {
  if (labels === undefined)
    return Object.freeze(Array.from({ length: numClasses }, (_, index) => `class ${index}`));
  if (labels.length !== numClasses) {
    throw new GhostNetError(
      'GHOSTNET_INVALID_ARGUMENT',
      'The number of labels does not match the number of classes',
      {
        found: `${labels.length} labels`,
        expected: `${numClasses} labels, in the order of the logits`,
      },
    );
  }
  return Object.freeze([...labels]);
}
