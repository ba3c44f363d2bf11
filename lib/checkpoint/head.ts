import { features, tail } from './classifier.js';
import { isProfilerCounter, type Naming } from './names.js';
import { fittingPrefixes } from './prefixes.js';

/** A naming of which the classifier may stand beside the network, not within it. */
export interface HeadedNaming extends Naming {
  /** Names that were changed, and into what. */
  readonly moved: readonly (readonly [from: string, to: string])[];
  /** Keys that stand where the classifier of a network in a backbone does, but are not one linear layer. */
  readonly unusedHead: readonly string[];
}

/**
 * Takes the classifier of a network that is the backbone of another module: `fc.weight` beside `backbone.conv_stem.weight`. It is taken
 * if the network has none, and the keys beside it are those of one linear layer [N,1280].
 *
 * @param keys - all keys of the file
 * @param shapeOf - the shape of an array; undefined if the key is not that of an array
 */
export function withHead(
  naming: Naming,
  keys: readonly string[],
  shapeOf: (key: string) => readonly number[] | undefined,
): HeadedNaming {
  const none = { ...naming, moved: [], unusedHead: [] };
  const { names, prefix, skipped } = naming;
  if (prefix === '' || skipped.length === 0 || names.some(([, name]) => tail.test(name))) return none;
  const heads = headOf(naming, keys);
  if (heads.length === 0) return none;
  const layer = linearLayer(heads, shapeOf);
  if (layer === undefined) return { ...none, unusedHead: heads };
  return {
    names: [...names, ...layer],
    prefix,
    skipped: skipped.filter((key) => !heads.includes(key)),
    moved: layer,
    unusedHead: [],
  };
}

/** The keys of a tail in the nearest module around the network that has some, and is not a network itself. */
function headOf({ prefix, skipped }: Naming, keys: readonly string[]): readonly string[] {
  const networks = fittingPrefixes(keys);
  let around = prefix;
  for (let step = 0; around !== '' && step < mostSteps; step += 1) {
    around = moduleAround(around);
    if (networks.includes(around)) return [];
    const isHead = (key: string): boolean => key.startsWith(around) && tail.test(key.slice(around.length));
    const heads = skipped.filter((key) => isHead(key) && !isProfilerCounter(key));
    if (heads.length > 0) return heads;
  }
  return [];
}

/** `model.` of `model.backbone.`, and '' of that. */
const moduleAround = (prefix: string): string =>
  prefix.slice(0, prefix.lastIndexOf('.', prefix.length - 2) + 1);

/** Deeper modules around a network are not looked through. */
const mostSteps = 8;

function linearLayer(
  heads: readonly string[],
  shapeOf: (key: string) => readonly number[] | undefined,
): readonly (readonly [from: string, to: string])[] | undefined {
  const weight = heads.find((key) => key.endsWith('.weight'));
  if (weight === undefined || heads.length > 2) return undefined;
  const [classes = 0, width, ...more] = shapeOf(weight) ?? [];
  if (classes === 0 || width !== features || more.length > 0) return undefined;
  const bias = weight.replace(/weight$/, 'bias');
  if (heads.length === 1) return [[weight, 'classifier.weight']];
  const [length, ...others] = heads.includes(bias) ? (shapeOf(bias) ?? []) : [];
  if (length !== classes || others.length > 0) return undefined;
  return [
    [weight, 'classifier.weight'],
    [bias, 'classifier.bias'],
  ];
}
