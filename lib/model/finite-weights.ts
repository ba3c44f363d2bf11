import { nameInWords } from '../check/words.js';
import type { Checkpoint } from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';

/** The number of elements in all floating-point arrays: parameters and running statistics. */
export function elementsOf({ arrays }: Pick<Checkpoint, 'arrays'>): number {
  let elements = 0;
  for (const { dtype, shape } of arrays.values()) {
    if (dtype.includes('float')) elements += shape.reduce((product, length) => product * length, 1);
  }
  return elements;
}

/** The arrays that a message names. */
const mostNamed = 5;

/** @param counts - how many numbers of each array are not finite */
export function notFinite(
  source: string,
  checkpoint: Pick<Checkpoint, 'arrays'>,
  counts: ReadonlyMap<string, number>,
): GhostNetError {
  const sum = [...counts.values()].reduce((total, count) => total + count, 0);
  const named = [...counts].slice(0, mostNamed).map(([name, count]) => `${nameInWords(name)} (${count})`);
  const rest = counts.size > mostNamed ? `, and ${counts.size - mostNamed} more arrays` : '';
  return new GhostNetError('GHOSTNET_WEIGHTS_NOT_FINITE', `${source}: weights are NaN or infinite`, {
    found: `${sum} of ${elementsOf(checkpoint)} numbers: ${named.join(', ')}${rest}`,
    expected: 'finite numbers',
  });
}
