// Describes the system requirements of prebuilt binaries.
import { statSync } from 'node:fs';
import { join } from 'node:path';

import { examine } from './floor.mjs';
import { root } from './project.mjs';

/**
 * Prints the size of binaries, the libraries they need, and the newest symbol versions they use.
 *
 * @param {string} folder
 * @param {readonly string[]} binaries - file names in it
 * @param {Record<string, string | number>} floor
 * @returns {boolean} whether no binary exceeds `floor`
 */
export function within(folder, binaries, floor) {
  let all = true;
  for (const name of binaries) {
    const path = join(folder, name);
    console.log(`\n${path.slice(root.length)}: ${statSync(path).size} bytes`);
    if (process.platform !== 'linux') continue; // only Linux has symbol versions
    const { needed, highest, faults } = examine(path, floor);
    console.log(`  needs ${needed.join(', ')}`);
    const words = Object.entries(highest).map(
      ([family, found]) => `${family} ${found} (floor ${floor[family]})`,
    );
    console.log(`  at least ${words.join(', ')}`);
    for (const fault of faults) console.error(`  ABOVE THE FLOOR: ${fault}`);
    all &&= faults.length === 0;
  }
  return all;
}
