import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { spread } from './statistics.mjs';

const trialFile = fileURLToPath(new URL('load-trial.mjs', import.meta.url));
const steps = ['addon', 'load', 'first', 'total'];

/**
 * Times the way from a weights file to the first logits, each trial in a process of its own.
 *
 * @param {string} weights path of the file
 * @param {number} trials how often
 */
export async function timeLoad(weights, trials) {
  const results = [];
  // One more than asked for: the first brings the files into the system's cache.
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
