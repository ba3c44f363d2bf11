import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { spread } from './statistics.mjs';

const trialFile = fileURLToPath(new URL('trip-trial.mjs', import.meta.url));

/**
 * Measures the cost of a run besides the network (binding, queue, thread and promise), in its own process.
 *
 * @param {string} weights path of the network with which the cost is compared
 * @param {string} input path of one image for it, float32
 */
export async function timeTrip(weights, input) {
  const { stdout } = await promisify(execFile)(process.execPath, [trialFile, weights, input], {
    maxBuffer: 2 ** 26,
  });
  const { trips, forwards } = JSON.parse(stdout);
  const microseconds = spread(trips);
  return {
    trips: trips.length,
    microseconds,
    shareOfForward: microseconds.median / spread(forwards).median,
  };
}
