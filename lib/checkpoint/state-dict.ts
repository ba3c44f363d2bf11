import { mostArrays } from './array.js';
import type { WeightsChoice } from './choice.js';
import { unsupported } from './faults.js';
import { nameArrays } from './names.js';
import { describeValue } from './pickle-values.js';
import type { Sliced } from './slices.js';
import { inOurNames } from './our-names.js';
import { TensorReader } from './torch-tensor.js';
import type { TorchFile } from './torch-file.js';
import type { Checkpoint, NamedArray } from './types.js';
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
  if (dict.entries.size > mostArrays) {
    throw unsupported(source, `the state dict has more than ${mostArrays} entries`, saveStateDict);
  }
  const keys = [...dict.entries.keys()].map((key) => {
    if (typeof key === 'string') return key;
    throw unsupported(source, `the state dict has ${describeValue(key)} as a key`, saveStateDict);
  });
  const { names, ...naming } = nameArrays(keys, source, asked);
  const tensors = new TensorReader(file, fileLength, source);
  const arrays = new Map<string, NamedArray>();
  for (const [key, name] of names) {
    arrays.set(name, yield* tensors.read(key, dict.entries.get(key) ?? null));
    yield;
  }
  const skipped = [...naming.skipped, ...others];
  return { format: file.format, metadata: {}, ...found, ...naming, skipped, ...inOurNames(arrays, source) };
}
