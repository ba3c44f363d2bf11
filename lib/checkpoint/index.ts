import { plainView } from './array.js';
import { detectContainer } from './detect.js';
import { unnamedSource } from './faults.js';
import { withHead } from './head.js';
import { nameArrays } from './names.js';
import { inOurNames } from './our-names.js';
import { parseSafetensors } from './safetensors.js';
import { finish, type Sliced } from './slices.js';
import { readFlatDict, readStateDict } from './state-dict.js';
import { readTorchLegacy } from './torch-legacy.js';
import { readTorchZip } from './torch-zip.js';
import type { ArrayFile, Checkpoint, NamedArray } from './types.js';
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
  /** The start of the keys of the network, if several fit. */
  readonly prefix?: string | undefined;
}

/**
 * Reads a weights file: safetensors, or a file of torch.save in its zip or its legacy container. The content determines the
 * container, never the file name. No code in the file is run.
 *
 * A file of torch.save may hold its state dict flat or under a key such as `state_dict`, `model` or `state_dict_ema`. The prefix under
 * which a GhostNet stands is removed, keys outside it are skipped, and a replaced classifier gets its usual name.
 *
 * @param file - the whole file; arrays whose elements lie in order are views of it
 * @returns the arrays in the dtypes of the file
 * @throws GhostNetError
 *   - `GHOSTNET_UNKNOWN_FORMAT` if the file is not a weights file; the message names the apparent format
 *   - `GHOSTNET_UNSUPPORTED_FORMAT` if its format is not supported: TorchScript, torch.export, ONNX, TensorFlow, quantised or
 *     sparse tensors, a whole pickled model, weights of the older GhostNet
 *   - `GHOSTNET_MALFORMED_FILE` if it violates its format; the message contains the offset
 *   - `GHOSTNET_PARAMETERS_MISMATCH` if it holds several networks, and `options.prefix` names none of them
 *   - `GHOSTNET_INVALID_ARGUMENT` if it lacks the weights that `options.weights` or `options.prefix` request
 */
export function readCheckpoint(file: Uint8Array, options: ReadOptions = {}): Checkpoint {
  return finish(parseCheckpoint(file, options));
}

/** As {@link readCheckpoint}, in slices. */
export function* parseCheckpoint(file: Uint8Array, options: ReadOptions = {}): Sliced<Checkpoint> {
  const bytes = plainView(file);
  const { source = unnamedSource, weights = 'auto', prefix } = options;
  const wanted = { source, weights, prefix };
  switch (detectContainer(bytes, source)) {
    case 'safetensors':
      return networkOf(yield* parseSafetensors(bytes, source), wanted);
    case 'zip':
      return yield* readStateDict(yield* readTorchZip(bytes, source), bytes.byteLength, wanted);
    case 'pickle':
      return yield* readStateDict(yield* readTorchLegacy(bytes, source), bytes.byteLength, wanted);
  }
}

/** All arrays of a file of torch.save that holds a state dict and nothing else, as one of several files of a model. */
export function* parseStateDict(file: Uint8Array, source: string): Sliced<ArrayFile> {
  const bytes = plainView(file);
  switch (detectContainer(bytes, source)) {
    case 'safetensors':
      return yield* parseSafetensors(bytes, source);
    case 'zip':
      return yield* readFlatDict(yield* readTorchZip(bytes, source), bytes.byteLength, source);
    case 'pickle':
      return yield* readFlatDict(yield* readTorchLegacy(bytes, source), bytes.byteLength, source);
  }
}

/** The network in a safetensors file, or in several that belong together. */
export function networkOf(
  file: ArrayFile,
  { source = unnamedSource, weights, prefix: asked }: ReadOptions,
): Checkpoint {
  if (weights === 'ema') throw absentWeights(weights, source);
  const keys = [...file.arrays.keys()];
  const naming = withHead(nameArrays(keys, source, asked), keys, (key) => file.arrays.get(key)?.shape);
  const arrays = new Map<string, NamedArray>();
  for (const [key, name] of naming.names) {
    const array = file.arrays.get(key);
    if (array !== undefined) arrays.set(name, array);
  }
  return inOurNames({ ...file, arrays }, naming, source);
}

export { adviceFor, headAdvice, takesRgb } from './dialects.js';
export { unsupported } from './faults.js';
export { countNotFinite } from './finite.js';
export { narrowArrays, savedDTypes, type SavedDType } from './narrow.js';
export { inSlices } from './slices.js';
export { joinShards, readShardIndex, type ShardIndex } from './shards.js';
export { parseSafetensors, readSafetensors, writeSafetensors } from './safetensors.js';
export type { ArrayDType, ArrayFile, Checkpoint, ContainerFormat, NamedArray } from './types.js';
export { weightsChoices, type WeightsChoice } from './choice.js';
