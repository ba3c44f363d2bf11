import { basename } from 'node:path';

import { isUrl } from '../check/kinds.js';
import { givenOf, optionsOf, type KeysOf } from '../check/option.js';
import type { NativeModel } from '../native/addon.js';
import { placementFor, type Device, type Placement } from '../native/device.js';
import { runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import {
  trainingKeys,
  trainingSettings,
  type TrainingOptions,
  type TrainingSettings,
} from '../training/options.js';
import type { Trained } from '../training/train.js';
import type { SourceNetwork } from '../training/types.js';
import type { ModelOptions } from './options.js';
import type { LoadedWeights } from './load-weights.js';
import { arraysOf } from './save-weights.js';
import { embeddedModel, type WeightsSource } from './source.js';

/** Options of {@link GhostNet.train}. */
export interface TrainOptions extends TrainingOptions {
  /** The network to start from: a {@link GhostNet}, or anything that `GhostNet.load` takes. Default: the model that ships with the package. */
  readonly from?: WeightsSource | SourceNetwork;
  /** Threads, as for a model. */
  readonly threads?: number;
  /** Where embeddings are computed, as for a model. */
  readonly device?: Device;
}

const trainKeys = {
  ...trainingKeys,
  from: true,
  threads: true,
  device: true,
} as const satisfies KeysOf<TrainOptions>;

/** The options of a training, checked, and those of the network that it starts from. */
export interface CheckedTraining {
  readonly from: WeightsSource | SourceNetwork;
  /** Of the network, if it is to be loaded. */
  readonly load: Pick<ModelOptions, 'threads' | 'device' | 'signal'>;
  readonly settings: TrainingSettings;
}

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_ABORTED` */
export function checkedTraining(given: TrainOptions): CheckedTraining {
  const { from = embeddedModel, threads, device, ...options } = optionsOf(given, trainKeys);
  const settings = trainingSettings(options);
  return { from, load: givenOf({ threads, device, signal: options.signal }), settings };
}

/** The name of what a training starts from, without the folders of whoever trains it. */
export function nameOf(source: WeightsSource): string {
  if (typeof source === 'string') return basename(source);
  return isUrl(source) ? basename(source.pathname) : 'bytes';
}

/** The network of trained weights, on the device of the one that it started from. */
export async function trainedNetwork(
  { state, labels, record }: Trained,
  { info }: SourceNetwork,
  signal: AbortSignal | undefined,
): Promise<LoadedWeights & { readonly placement: Placement }> {
  const placement = placementFor(info.device);
  const arrays = [...arraysOf(state)].map(([name, array]) => ({ name, ...array }));
  const { inputSize, crop, interpolation, mean, std, stages, width, dropout, threads, precision } = info;
  const options = {
    ...{ inputSize, crop, interpolation, mean, std, threads, labels },
    precision: precision as NonNullable<ModelOptions['precision']>,
    training: record,
  };
  const network = { ...options, stages, width, dropout, numClasses: labels.length, gpu: placement.gpu };
  const model: NativeModel = await runJob(signal === undefined ? {} : { signal }, (ticket) =>
    native().loadModel(ticket, arrays, network),
  );
  return { model, options, placement };
}
