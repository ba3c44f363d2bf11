import { quote } from '../check/words.js';
import { mostArrays } from './array.js';
import { unsupported } from './faults.js';
import { nameArrays } from './names.js';
import { describeValue, PickleDict, type PickleValue } from './pickle-values.js';
import type { Sliced } from './slices.js';
import { isTensor, TensorReader } from './torch-tensor.js';
import type { TorchFile } from './torch-file.js';
import type { Checkpoint, NamedArray } from './types.js';
import { absentWeights, type WeightsChoice } from './choice.js';

/** The keys under which training scripts store a state dict, the most likely first. */
const rawWrappers = ['state_dict', 'model'];
const averagedWrappers = ['state_dict_ema', 'model_ema'];

/** The number of keys that a message lists. */
const mostNamed = 5;

/**
 * Finds the state dict in the object of a torch.save file, and reads its tensors. The rest of the object is ignored.
 *
 * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` if there is no state dict, or a value in it is not a tensor;
 *   `GHOSTNET_INVALID_ARGUMENT` if the requested weights are missing; `GHOSTNET_MALFORMED_FILE` if a tensor is malformed
 */
export function* readStateDict(
  file: TorchFile,
  fileLength: number,
  weights: WeightsChoice,
  source: string,
): Sliced<Checkpoint> {
  const { wrapper, dict } = findStateDict(file.object, weights, source);
  if (dict.entries.size > mostArrays) {
    throw unsupported(source, `the state dict has more than ${mostArrays} entries`, saveStateDict);
  }
  const keys = [...dict.entries.keys()].map((key) => {
    if (typeof key === 'string') return key;
    throw unsupported(source, `the state dict has ${describeValue(key)} as a key`, saveStateDict);
  });
  const { names, skipped } = nameArrays(keys, source);
  const tensors = new TensorReader(file, fileLength, source);
  const arrays = new Map<string, NamedArray>();
  for (const [key, name] of names) {
    arrays.set(name, yield* tensors.read(key, dict.entries.get(key) ?? null));
    yield;
  }
  return { format: file.format, arrays, metadata: {}, ...(wrapper !== undefined && { wrapper }), skipped };
}

const saveStateDict = 'Save only the weights: torch.save(model.state_dict(), path), or as safetensors.';

interface StateDict {
  readonly dict: PickleDict;
  readonly wrapper?: string;
}

function findStateDict(object: PickleValue, weights: WeightsChoice, source: string): StateDict {
  if (!(object instanceof PickleDict)) {
    throw unsupported(source, `the file contains ${describeValue(object)}, not a state dict`, saveStateDict);
  }
  const raw = findWrapped(object, rawWrappers) ?? (isFlat(object) ? { dict: object } : undefined);
  const averaged = findWrapped(object, averagedWrappers);
  const [chosen, other] = weights === 'raw' ? [raw, averaged] : [averaged, raw];
  if (chosen !== undefined) return chosen;
  if (other === undefined) {
    const entries = [...object.entries].slice(0, mostNamed).map(([key, value]) => {
      return `${typeof key === 'string' ? quote(key) : describeValue(key)} (${describeValue(value)})`;
    });
    throw unsupported(
      source,
      `the file contains no state dict, but a dict of ${entries.join(', ')}`,
      saveStateDict,
    );
  }
  if (weights !== 'auto') throw absentWeights(weights, source);
  return other;
}

function findWrapped(object: PickleDict, wrappers: readonly string[]): StateDict | undefined {
  for (const wrapper of wrappers) {
    const dict = object.entries.get(wrapper);
    if (dict instanceof PickleDict) return { dict, wrapper };
  }
  return undefined;
}

/** Whether a dict is itself a state dict: it contains tensors of any kind, or is empty. */
function isFlat(object: PickleDict): boolean {
  return object.entries.size === 0 || [...object.entries.values()].some(isTensor);
}
