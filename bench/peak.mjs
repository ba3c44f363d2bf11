import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const trialFile = fileURLToPath(new URL('peak-trial.mjs', import.meta.url));

/**
 * The multiply-adds per second that this many threads reach from registers alone, with the instruction set of this package:
 * the upper bound for every engine. Measured in its own process.
 *
 * @param {number} threads
 */
export async function measurePeak(threads) {
  const { stdout } = await promisify(execFile)(process.execPath, [trialFile, String(threads)]);
  return Number(stdout);
}
