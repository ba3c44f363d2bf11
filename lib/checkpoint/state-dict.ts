import { mostArrays } from './array.js';
import type { WeightsChoice } from './choice.js';
import { unsupported } from './faults.js';
import { withHead } from './head.js';
import { nameArrays, type Naming } from './names.js';
import { describeValue, type PickleDict } from './pickle-values.js';
import type { Sliced } from './slices.js';
import { inOurNames } from './our-names.js';
import { shapeOf, TensorReader } from './torch-tensor.js';
import type { TorchFile } from './torch-file.js';
import type { ArrayFile, Checkpoint, NamedArray } from './types.js';
import { findStateDict, saveStateDict } from './wrappers.js';

/** What to take of a file of torch.save. */
export interface StateDictOptions {
  readonly weights: WeightsChoice;
  readonly prefix: string | undefined;
  readonly source: string;
}

/**
 * Finds the state dict in the object of a torch.save file, and reads its tensors. The rest of the object is ignored.
 *
 * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` if there is no state dict, or a value in it is not a tensor;
 *   `GHOSTNET_INVALID_ARGUMENT` if the requested weights are missing; `GHOSTNET_MALFORMED_FILE` if a tensor is malformed
 */
export function* readStateDict(
  file: TorchFile,
  fileLength: number,
  { weights, prefix: asked, source }: StateDictOptions,
): Sliced<Checkpoint> {
  const { dict, others = [], ...found } = findStateDict(file.object, weights, source);
  const keys = keysOf(dict, source);
  const naming = withHead(nameArrays(keys, source, asked), keys, (key) =>
    shapeOf(dict.entries.get(key) ?? null),
  );
  const arrays = yield* readTensors(dict, naming.names, file, fileLength, source);
  const network = inOurNames({ format: file.format, arrays, metadata: {} }, naming, source);
  return { ...network, ...found, skipped: [...naming.skipped, ...others] };
}

/**
 * Reads all arrays of a file of torch.save that holds a state dict and nothing else, as one of several files of a model.
 *
 * @throws GhostNetError as {@link readStateDict}
 */
export function* readFlatDict(file: TorchFile, fileLength: number, source: string): Sliced<ArrayFile> {
  const { dict } = findStateDict(file.object, 'raw', source);
  const names = keysOf(dict, source).map((key) => [key, key] as const);
  const arrays = yield* readTensors(dict, names, file, fileLength, source);
  return { format: file.format, arrays, metadata: {} };
}

function keysOf({ entries }: PickleDict, source: string): readonly string[] {
  if (entries.size > mostArrays) {
    throw unsupported(source, `the state dict has more than ${mostArrays} entries`, saveStateDict);
  }
  return [...entries.keys()].map((key) => {
    if (typeof key === 'string') return key;
    throw unsupported(source, `the state dict has ${describeValue(key)} as a key`, saveStateDict);
  });
}

function* readTensors(
  { entries }: PickleDict,
  names: Naming['names'],
  file: TorchFile,
  fileLength: number,
  source: string,
): Sliced<ReadonlyMap<string, NamedArray>> {
  const tensors = new TensorReader(file, fileLength, source);
  const arrays = new Map<string, NamedArray>();
  for (const [key, name] of names) {
    arrays.set(name, yield* tensors.read(key, entries.get(key) ?? null));
    yield;
  }
  return arrays;
}
