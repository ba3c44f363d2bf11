import type { NamedArray } from '../checkpoint/index.js';
import type { NativeArchitecture, NativeModel, NativeState, NativeTransform } from '../native/addon.js';
import { runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import { nativeArrays } from './arrays.js';

/** What determines the layers of a network in training. Its name is left out: that is of the network with its old classes. */
export type Layers = Omit<NativeArchitecture, 'variant'>;

export function layersOf({ stages, width, dropout }: Layers, numClasses: number): Layers {
  return { stages, width, dropout, numClasses };
}

export function transformOf({ inputSize, crop, interpolation, mean, std }: NativeTransform): NativeTransform {
  return { inputSize, crop, interpolation, mean, std };
}

/** The transform that leaves random crops room: the whole shorter side, and of the longer side the middle. */
export function storedTransformOf(info: NativeTransform): NativeTransform {
  const transform = transformOf(info);
  return { ...transform, inputSize: Math.floor(transform.inputSize / transform.crop), crop: 1 };
}

/** A network of the engine, on the CPU. */
export function loadNetwork(
  arrays: Iterable<readonly [string, NamedArray]>,
  layers: Layers,
  transform: NativeTransform,
  signal?: AbortSignal,
): Promise<NativeModel> {
  return runJob(signal === undefined ? {} : { signal }, (ticket) =>
    native().loadModel(ticket, nativeArrays(arrays), { ...layers, ...transform }),
  );
}

/** @param form - `'deployed'` folds branches */
export function stateOf(network: NativeModel, form: 'own' | 'deployed'): Promise<NativeState> {
  return runJob({}, (ticket) => network.state(ticket, form));
}
