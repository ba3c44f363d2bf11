import { plainView } from './array.js';
import { detectContainer } from './detect.js';
import { unnamedSource } from './faults.js';
import { nameArrays } from './names.js';
import { parseSafetensors } from './safetensors.js';
import { finish, type Sliced } from './slices.js';
import { readStateDict } from './state-dict.js';
import { readTorchLegacy } from './torch-legacy.js';
import { readTorchZip } from './torch-zip.js';
import type { Checkpoint, NamedArray } from './types.js';
import { absentWeights, type WeightsChoice } from './choice.js';

/** How to read a weights file. */
export interface ReadOptions {
  /** The name of the file in messages: a path or a URL. */
  readonly source?: string;
  /**
   * The weights of a training checkpoint to use: `ema` the averaged weights, `raw` the plain weights, `auto` (the default) the
   * averaged weights if there are any.
   */
  readonly weights?: WeightsChoice;
}

/**
 * Reads a weights file: safetensors, or a file of torch.save in its zip or its legacy container. The content determines the
 * container, never the file name. No code in the file is run.
 *
 * A file of torch.save may hold its state dict flat or under `state_dict`, `model`, `state_dict_ema` or `model_ema`.
 * A prefix `module.` that all keys share is removed, and keys that end in `total_ops` or `total_params` are skipped.
 *
 * @param file - the whole file; arrays whose elements lie in order are views of it
 * @returns the arrays in the dtypes of the file
 * @throws GhostNetError
 *   - `GHOSTNET_UNKNOWN_FORMAT` if the file is not a weights file; the message names the apparent format
 *   - `GHOSTNET_UNSUPPORTED_FORMAT` if its format is not supported: TorchScript, torch.export, ONNX, TensorFlow, quantised or
 *     sparse tensors, a whole pickled model, weights of the older GhostNet
 *   - `GHOSTNET_MALFORMED_FILE` if it violates its format; the message contains the offset
 *   - `GHOSTNET_INVALID_ARGUMENT` if it lacks the weights that `options.weights` requests
 */
export function readCheckpoint(file: Uint8Array, options: ReadOptions = {}): Checkpoint {
  return finish(parseCheckpoint(file, options));
}

/** As {@link readCheckpoint}, in slices. */
export function* parseCheckpoint(file: Uint8Array, options: ReadOptions = {}): Sliced<Checkpoint> {
  const bytes = plainView(file);
  const { source = unnamedSource, weights = 'auto' } = options;
  switch (detectContainer(bytes, source)) {
    case 'safetensors':
      if (weights === 'ema') throw absentWeights(weights, source);
      return renamed(yield* parseSafetensors(bytes, source), source);
    case 'zip':
      return yield* readStateDict(yield* readTorchZip(bytes, source), bytes.byteLength, weights, source);
    case 'pickle':
      return yield* readStateDict(yield* readTorchLegacy(bytes, source), bytes.byteLength, weights, source);
  }
}

function renamed(checkpoint: Checkpoint, source: string): Checkpoint {
  const { names, skipped } = nameArrays([...checkpoint.arrays.keys()], source);
  const arrays = new Map<string, NamedArray>();
  for (const [key, name] of names) {
    const array = checkpoint.arrays.get(key);
    if (array !== undefined) arrays.set(name, array);
  }
  return { ...checkpoint, arrays, skipped };
}

export { countNotFinite } from './finite.js';
export { inSlices } from './slices.js';
export { readSafetensors, writeSafetensors } from './safetensors.js';
export type { ArrayDType, Checkpoint, ContainerFormat, NamedArray } from './types.js';
export { weightsChoices, type WeightsChoice } from './choice.js';
