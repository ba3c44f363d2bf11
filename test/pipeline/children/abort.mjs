// Aborts photos while they are decoded. In milliseconds: from the abort until all promises have settled; the time of the processor
// that this process uses from 50 to 150 ms after the abort, when its threads should have stopped; and how much later than without an
// abort the next small photos are there, one on each thread.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';

import { given, median, print, repeated } from './common.mjs';

const { files, small, rounds, count } = given;
const model = await GhostNet.load();
const bytes = readFileSync(small);

/** The time of a small photo on each thread at once. */
async function smallPhotos() {
  const pipeline = model.pipeline();
  const start = performance.now();
  await Promise.all(repeated([bytes], model.info.threads).map((image) => pipeline.run(image)));
  return performance.now() - start;
}

const settling = [];
let aborted = 0;

/** Starts many photos, and aborts them after a while. @returns the settling of all, in an object because it is not awaited */
async function startAndAbort(milliseconds) {
  const pipeline = model.pipeline({ whenFull: 'wait' });
  const abort = new AbortController();
  const runs = repeated(files, count).map((file) => pipeline.run(file, { signal: abort.signal }));
  let start = 0;
  const settled = Promise.allSettled(runs).then((outcomes) => {
    settling.push(performance.now() - start);
    const codes = outcomes.map(({ reason }) => reason?.code);
    aborted += codes.filter((code) => code === 'GHOSTNET_ABORTED').length;
  });
  await sleep(milliseconds);
  start = performance.now();
  abort.abort();
  return { settled };
}

/** The time of the processor that this process uses. */
async function processorDuring(milliseconds) {
  const before = process.cpuUsage();
  await sleep(milliseconds);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

await smallPhotos();
const undisturbed = [];
for (let round = 0; round < 9; ++round) undisturbed.push(await smallPhotos());

const [stopped, latencies] = [[], []];
for (let round = 0; round < rounds; ++round) {
  // At a different point of the decoding in each round.
  const wait = 40 + 23 * round;
  const first = await startAndAbort(wait);
  await sleep(50);
  stopped.push(await processorDuring(100));
  const second = await startAndAbort(wait);
  latencies.push((await smallPhotos()) - median(undisturbed));
  await Promise.all([first.settled, second.settled]);
}
const summary = (times) => ({ median: median(times), max: Math.max(...times) });
print({
  small: median(undisturbed),
  aborted,
  settling: summary(settling),
  stopped: summary(stopped),
  latency: summary(latencies),
});
