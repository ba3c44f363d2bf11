import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const trialFile = fileURLToPath(new URL('peak-trial.mjs', import.meta.url));

/**
 * Multiply-adds a second that so many threads of this machine do from registers alone, with the instruction set that this
 * package uses: the bound that no engine passes. In a process of its own.
 *
 * @param {number} threads
 */
export async function measurePeak(threads) {
  const { stdout } = await promisify(execFile)(process.execPath, [trialFile, String(threads)]);
  return Number(stdout);
}
