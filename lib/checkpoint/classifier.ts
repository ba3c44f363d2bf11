import type { NamedArray } from './types.js';

/** The input of the classifier: the width of an embedding. */
export const features = 1280;

const weightName = 'classifier.weight';
const biasName = 'classifier.bias';

/** Where fine-tuning puts another classifier: `classifier.1.*` of a Sequential, `head.fc.*`, and the like. */
export const tail = /^(?:classifier|fc|head)\./;

/** The arrays of a network, with its classifier where the network expects it. */
export interface PlacedClassifier {
  readonly arrays: ReadonlyMap<string, NamedArray>;
  /** Names that were changed, and into what. */
  readonly renamed: readonly (readonly [from: string, to: string])[];
  /** Arrays that the file lacks, and that are zeros. */
  readonly filled: readonly string[];
}

/** The arrays that stand where the classifier does. */
export function tailOf(arrays: ReadonlyMap<string, NamedArray>): (readonly [string, NamedArray])[] {
  return [...arrays].filter(([name]) => tail.test(name));
}

/**
 * Gives a classifier its names: a single linear layer [N,1280], under whatever name of a tail, becomes `classifier`. One without a
 * bias gets zeros. All other arrays are left as they are, for the check of the network to refuse what it does not know.
 */
export function placeClassifier(arrays: ReadonlyMap<string, NamedArray>): PlacedClassifier {
  const layer = arrays.has('conv_stem.weight') ? linearLayer(arrays) : undefined;
  if (layer === undefined) return { arrays, renamed: [], filled: [] };
  const renamed = [
    [`${layer.name}.weight`, weightName],
    ...(layer.hasBias ? [[`${layer.name}.bias`, biasName] as const] : []),
  ] as const;
  const isRenamed = layer.name !== 'classifier';
  if (!isRenamed && layer.hasBias) return { arrays, renamed: [], filled: [] };
  const names = new Map<string, string>(renamed);
  const placed = new Map([...arrays].map(([name, array]) => [names.get(name) ?? name, array] as const));
  if (!layer.hasBias) {
    placed.set(biasName, {
      dtype: 'float32',
      shape: [layer.classes],
      data: new Uint8Array(4 * layer.classes),
    });
  }
  return { arrays: placed, renamed: isRenamed ? renamed : [], filled: layer.hasBias ? [] : [biasName] };
}

interface LinearLayer {
  readonly name: string;
  readonly classes: number;
  readonly hasBias: boolean;
}

function linearLayer(arrays: ReadonlyMap<string, NamedArray>): LinearLayer | undefined {
  const all = tailOf(arrays);
  const [weight] = arrays.has(weightName) ? [weightName] : all.map(([name]) => name).filter(isWeight);
  if (weight === undefined) return undefined;
  const name = weight.slice(0, -'.weight'.length);
  const [classes = 0, width, ...more] = arrays.get(weight)?.shape ?? [];
  const bias = arrays.get(`${name}.bias`);
  const isAlone = all.length === (bias === undefined ? 1 : 2);
  if (!isAlone || classes === 0 || width !== features || more.length > 0) return undefined;
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== classes)) return undefined;
  return { name, classes, hasBias: bias !== undefined };
}

const isWeight = (name: string): boolean => name.endsWith('.weight');
