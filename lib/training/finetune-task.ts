import type { Tensor } from '../tensor.js';
import type { FinetuneSettings } from './finetune-settings.js';
import type { EpochReport, SourceNetwork, Split, StepReport } from './types.js';

/** What `finetune` needs. */
export interface FinetuneTask {
  /** The model that the training starts from. Its weights are copied; it can be used meanwhile. */
  readonly model: SourceNetwork;
  /** The names of the classes. If they are not those of the model in the same order, the classifier begins anew. */
  readonly classes: readonly string[];
  readonly split: Split;
  readonly settings: FinetuneSettings;
  /** The folder of checkpoints; none are written without it. */
  readonly checkpoints?: string;
  /** Whether to go on from the newest checkpoint, if there is one. */
  readonly resume?: boolean;
  /** Stops the training after the step that goes on, with a last checkpoint. */
  readonly signal?: AbortSignal;
  /** Called for every picture that was decoded, before the first epoch. */
  readonly onPicture?: (done: number, pictures: number) => void;
  readonly onEpoch?: (report: EpochReport) => void;
  readonly onStep?: (report: StepReport) => void;
}

/** What a training results in. */
export interface FinetuneResult {
  /** The weights of the best epoch by the names of the network, with branches folded. */
  readonly state: ReadonlyMap<string, Tensor<'float32' | 'int64'>>;
  readonly reports: EpochReport[];
  /** The epoch with the most right answers, of several the one with the lowest loss; without validation the last. */
  readonly bestEpoch: number;
  /** [validation samples,classes], row by row: the probabilities of the best epoch. */
  readonly scores: Float32Array;
}
