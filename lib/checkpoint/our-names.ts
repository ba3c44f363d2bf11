import { placeClassifier } from './classifier.js';
import type { HeadedNaming } from './head.js';
import { translate } from './translation.js';
import type { ArrayFile, Checkpoint } from './types.js';

/**
 * The network in a file under the names of this package, whatever code wrote it and wherever its classifier stands.
 *
 * @param file - its arrays by the names of the naming
 * @throws GhostNetError as {@link translate}
 */
export function inOurNames(
  file: ArrayFile,
  { prefix, skipped, moved, unusedHead }: HeadedNaming,
  source: string,
): Checkpoint {
  const translated = translate(file.arrays, source);
  const placed = placeClassifier(translated.arrays);
  const renamed = [...moved, ...translated.renamed, ...placed.renamed];
  return { ...file, prefix, skipped, unusedHead, ...placed, renamed };
}
