import { quote } from '../check/words.js';
import { unsupported } from './faults.js';
import { nameArrays } from './names.js';
import { describeValue, PickleDict, type PickleValue } from './pickle-values.js';
import { isTensor, TensorReader } from './torch-tensor.js';
import type { TorchFile } from './torch-file.js';
import type { Checkpoint, NamedArray } from './types.js';
import { absentWeights, type WeightsChoice } from './choice.js';

/** The keys under which training scripts put a state dict, the likeliest first. */
const rawWrappers = ['state_dict', 'model'];
const averagedWrappers = ['state_dict_ema', 'model_ema'];

/** Keys named in a message. */
const mostNamed = 5;

/**
 * Finds the state dict in the object that a file of torch.save holds, and reads its tensors. Nothing else in the
 * object is looked at.
 *
 * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` when there is no state dict, or it holds something else than
 *   tensors; `GHOSTNET_INVALID_ARGUMENT` when the weights asked for are not there; `GHOSTNET_MALFORMED_FILE` when a
 *   tensor is broken
 */
export function readStateDict(
  file: TorchFile,
  fileLength: number,
  weights: WeightsChoice,
  source: string,
): Checkpoint {
  const { wrapper, dict } = findStateDict(file.object, weights, source);
  const keys = [...dict.entries.keys()].map((key) => {
    if (typeof key === 'string') return key;
    throw unsupported(source, `the state dict has ${describeValue(key)} as a key`, saveStateDict);
  });
  const { names, skipped } = nameArrays(keys, source);
  const tensors = new TensorReader(file, fileLength, source);
  const arrays = new Map<string, NamedArray>();
  for (const [key, name] of names) arrays.set(name, tensors.read(key, dict.entries.get(key) ?? null));
  return { format: file.format, arrays, metadata: {}, ...(wrapper !== undefined && { wrapper }), skipped };
}

const saveStateDict = 'Save the weights alone: torch.save(model.state_dict(), path), or as safetensors.';

interface StateDict {
  readonly dict: PickleDict;
  readonly wrapper?: string;
}

function findStateDict(object: PickleValue, weights: WeightsChoice, source: string): StateDict {
  if (!(object instanceof PickleDict)) {
    throw unsupported(source, `the file holds ${describeValue(object)} and no state dict`, saveStateDict);
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
      `the file holds no state dict, but a dict of ${entries.join(', ')}`,
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

/** Whether a dict is a state dict itself: it holds tensors, of whatever kind, or nothing at all. */
function isFlat(object: PickleDict): boolean {
  return object.entries.size === 0 || [...object.entries.values()].some(isTensor);
}
