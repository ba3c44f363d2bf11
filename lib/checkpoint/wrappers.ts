import { nameInWords, quote } from '../check/words.js';
import { mostArrays } from './array.js';
import { absentWeights, type WeightsChoice } from './choice.js';
import { unsupported } from './faults.js';
import { isProfilerCounter } from './names.js';
import { describeValue, PickleDict, type PickleValue } from './pickle-values.js';
import { fittingPrefixes } from './prefixes.js';
import { isTensor, shapeOf } from './torch-tensor.js';

/** The keys under which training scripts store a state dict, the most likely first. */
const rawWrappers = ['state_dict', 'model_state_dict', 'model', 'net', 'module'];
const averagedWrappers = ['state_dict_ema', 'model_ema', 'ema'];

/** What to do about a file from which no state dict can be taken. */
export const saveStateDict =
  'Save only the weights: torch.save(model.state_dict(), path), or as safetensors.';

/** The number of keys that a message lists. */
const mostNamed = 5;

/** A state dict in a file, and where it was found. */
export interface FoundStateDict {
  readonly dict: PickleDict;
  /** The key that holds it; undefined if the file holds nothing else. */
  readonly wrapper?: string;
  /** Why the averaged weights of the file were not taken. */
  readonly fallback?: string;
  /** Other keys of the same kind that hold a GhostNet, and were not taken. */
  readonly others?: readonly string[];
}

/**
 * Finds the state dict of the weights that were asked for.
 *
 * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` if there is no state dict, `GHOSTNET_INVALID_ARGUMENT` if only the other
 *   weights are there
 */
export function findStateDict(object: PickleValue, weights: WeightsChoice, source: string): FoundStateDict {
  if (!(object instanceof PickleDict)) {
    throw unsupported(source, `the file contains ${describeValue(object)}, not a state dict`, saveStateDict);
  }
  const raw = bestOf([...wrapped(object, rawWrappers), ...(isFlat(object) ? [{ dict: object }] : [])]);
  const averaged = bestOf(wrapped(object, averagedWrappers));
  if (weights === 'auto' && raw !== undefined && averaged !== undefined) return preferred(averaged, raw);
  const [chosen, other] = weights === 'raw' ? [raw, averaged] : [averaged, raw];
  if (chosen !== undefined) return chosen;
  if (other === undefined) throw noStateDict(object, source);
  if (weights !== 'auto') throw absentWeights(weights, source);
  return other;
}

/** The average, unless only the plain weights, or more of them, are those of a GhostNet, or the average is of another network. */
function preferred(averaged: FoundStateDict, raw: FoundStateDict): FoundStateDict {
  const expected = sizeOf(raw.dict);
  const size = sizeOf(averaged.dict);
  if (expected === 0) return averaged;
  const reason =
    size === 0
      ? 'holds no GhostNet'
      : size < expected
        ? `has ${size} arrays of a GhostNet, not ${expected}`
        : differenceOf(shapesOf(averaged.dict), shapesOf(raw.dict));
  return reason === undefined ? averaged : { ...raw, fallback: `${averaged.wrapper} ${reason}` };
}

/** How a network differs from another; undefined if it does not, or if either is not told apart from others. */
function differenceOf(
  shapes: ReadonlyMap<string, string> | undefined,
  others: ReadonlyMap<string, string> | undefined,
): string | undefined {
  if (shapes === undefined || others === undefined) return undefined;
  for (const [name, shape] of others) {
    if (shapes.get(name) !== shape)
      return `does not have ${nameInWords(name)} [${shape}] of the plain weights`;
  }
  const extra = [...shapes.keys()].find((name) => !others.has(name));
  return extra === undefined ? undefined : `has ${nameInWords(extra)}, which the plain weights do not have`;
}

/** The shapes of the arrays of the only network in a dict, by their names. */
function shapesOf({ entries }: PickleDict): ReadonlyMap<string, string> | undefined {
  const keys = [...entries.keys()].filter((key) => typeof key === 'string');
  const [prefix, ...others] = fittingPrefixes(keys);
  if (prefix === undefined || others.length > 0) return undefined;
  return new Map(
    keys
      .filter((key) => key.startsWith(prefix) && !isCounter(key))
      .map((key) => [key.slice(prefix.length), shapeOf(entries.get(key) ?? null)?.join(',') ?? '?'] as const),
  );
}

/** The number of arrays of a GhostNet, counters apart, which a network can do without: 0 if there is no GhostNet. */
function sizeOf({ entries }: PickleDict): number {
  if (entries.size > mostArrays) return 0;
  const keys = [...entries].flatMap(([key, value]) => {
    return typeof key === 'string' && isTensor(value) && !isCounter(key) ? [key] : [];
  });
  const [prefix, ...others] = fittingPrefixes(keys);
  if (prefix === undefined) return 0;
  // Which of several networks is meant is for the caller to say.
  return others.length > 0 ? keys.length : keys.filter((key) => key.startsWith(prefix)).length;
}

const isCounter = (key: string): boolean => isProfilerCounter(key) || key.endsWith('.num_batches_tracked');

function wrapped(object: PickleDict, wrappers: readonly string[]): FoundStateDict[] {
  return wrappers.flatMap((wrapper) => {
    const dict = object.entries.get(wrapper);
    return dict instanceof PickleDict ? [innermost({ dict, wrapper }, new Set([object]))] : [];
  });
}

/** Wrappers within each other, the outermost counted. */
const mostWrappers = 4;

/**
 * What an average or a trainer holds under another such key, beside settings of its own: `ema.module`, `model.state_dict`.
 *
 * @param seen - the dicts around it: one of a hostile file can be within itself
 */
function innermost(outer: FoundStateDict, seen: Set<PickleDict>): FoundStateDict {
  const { dict, wrapper = '' } = outer;
  seen.add(dict);
  if (seen.size > mostWrappers || sizeOf(dict) > 0) return outer;
  let first: FoundStateDict | undefined;
  for (const key of rawWrappers) {
    const inner = dict.entries.get(key);
    if (!(inner instanceof PickleDict) || seen.has(inner)) continue;
    const found = innermost({ dict: inner, wrapper: `${wrapper}.${key}` }, seen);
    if (sizeOf(found.dict) > 0) return found;
    first ??= found;
  }
  return first === undefined || isFlat(dict) ? outer : first;
}

/** The first that holds a GhostNet, else the first that holds tensors, else the first. */
function bestOf(found: readonly FoundStateDict[]): FoundStateDict | undefined {
  const [network, ...others] = found.filter(({ dict }) => sizeOf(dict) > 0);
  if (network === undefined) return found.find(({ dict }) => isFlat(dict)) ?? found[0];
  return { ...network, others: others.map(({ wrapper }) => wrapper ?? 'arrays beside them') };
}

/** Whether a dict is itself a state dict: it contains tensors of any kind, or is empty. */
function isFlat({ entries }: PickleDict): boolean {
  return entries.size === 0 || [...entries.values()].some(isTensor);
}

function noStateDict({ entries }: PickleDict, source: string): Error {
  const named = [...entries].slice(0, mostNamed).map(([key, value]) => {
    return `${typeof key === 'string' ? quote(key) : describeValue(key)} (${describeValue(value)})`;
  });
  return unsupported(
    source,
    `the file contains no state dict, but a dict of ${named.join(', ')}`,
    saveStateDict,
  );
}
