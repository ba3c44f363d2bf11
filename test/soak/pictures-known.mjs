import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The pictures of a folder, with the result of each when nothing else is going on. */
export async function knownPictures(folder, model) {
  const pictures = [];
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name);
    const expected = await model.classify(file).then(
      ([best]) => best,
      ({ code }) => ({ code }),
    );
    pictures.push({ file, bytes: readFileSync(file), expected });
  }
  return pictures;
}

/**
 * Compares a result with that of the same picture alone: a batch must not mix up its images.
 *
 * @param isFast - whether it was decoded at a reduced size, which may change the score
 * @throws {Error} if it is another
 */
export function expectResult({ file, expected }, best, { isFast = false } = {}) {
  if (expected.code !== undefined) throw new Error(`${file} fails when it is alone, and not now`);
  if (isFast || (best.label === expected.label && best.score === expected.score)) return;
  throw new Error(`${file} is ${best.label} ${best.score}, and alone ${expected.label} ${expected.score}`);
}
