import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { spread } from './statistics.mjs';

const trialFile = fileURLToPath(new URL('load-trial.mjs', import.meta.url));
const steps = ['addon', 'load', 'first', 'total'];

/**
 * Measures the time from a weights file to the first logits, with each trial in its own process.
 *
 * @param {string} weights path of the file
 * @param {number} trials number of trials
 */
export async function timeLoad(weights, trials) {
  const results = [];
  // One trial more than requested: the first brings the files into the system's cache.
  for (let trial = 0; trial <= trials; trial++) {
    const { stdout } = await promisify(execFile)(process.execPath, [trialFile, weights]);
    results.push(JSON.parse(stdout));
  }
  const cached = results.slice(1);
  const spreadOf = (pick) => spread(cached.map(pick));
  return {
    fileMiB: (await stat(weights)).size / 2 ** 20,
    trials,
    milliseconds: Object.fromEntries(
      steps.map((step) => [step, spreadOf(({ milliseconds }) => milliseconds[step])]),
    ),
    memoryMiB: cached.some(({ memoryMiB }) => memoryMiB.peak === null)
      ? null
      : {
          addon: spreadOf(({ memoryMiB }) => memoryMiB.addon),
          peak: spreadOf(({ memoryMiB }) => memoryMiB.peak),
        },
  };
}
