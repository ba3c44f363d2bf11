import { placeClassifier, type PlacedClassifier } from './classifier.js';
import { translate } from './translation.js';
import type { NamedArray } from './types.js';

/**
 * The arrays of a network under the names of this package, whatever code wrote them and wherever its classifier stands.
 *
 * @throws GhostNetError as {@link translate}
 */
export function inOurNames(arrays: ReadonlyMap<string, NamedArray>, source: string): PlacedClassifier {
  const translated = translate(arrays, source);
  const placed = placeClassifier(translated.arrays);
  return { ...placed, renamed: [...translated.renamed, ...placed.renamed] };
}
