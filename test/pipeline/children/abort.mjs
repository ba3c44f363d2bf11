// Aborts photos while they are decoded. In milliseconds, from the abort: until all promises have settled; until all threads have
// given up (destroy() waits for them); and until every thread has decoded a small photo, beyond what that takes without an abort.
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

/** Starts many photos, and aborts them after a while. */
async function abortedAfter(milliseconds) {
  const pipeline = model.pipeline({ whenFull: 'wait' });
  const abort = new AbortController();
  const runs = repeated(files, count).map((file) => pipeline.run(file, { signal: abort.signal }));
  const settled = Promise.allSettled(runs).then((outcomes) => {
    const codes = outcomes.map(({ reason }) => reason?.code ?? 'fulfilled');
    return { codes, at: performance.now() };
  });
  await sleep(milliseconds);
  const { decoding } = pipeline.stats();
  const start = performance.now();
  abort.abort();
  return { pipeline, settled, decoding, start };
}

await smallPhotos();
const undisturbed = [];
for (let round = 0; round < 9; ++round) undisturbed.push(await smallPhotos());

const [settling, stopping, latencies] = [[], [], []];
let aborted = 0;
for (let round = 0; round < rounds; ++round) {
  // At a different point of the decoding in each round.
  const wait = 40 + 23 * round;
  const first = await abortedAfter(wait);
  await first.pipeline.destroy();
  stopping.push(performance.now() - first.start);
  const second = await abortedAfter(wait);
  latencies.push((await smallPhotos()) - median(undisturbed));
  for (const { settled, decoding, start } of [first, second]) {
    const { codes, at } = await settled;
    settling.push(at - start);
    if (decoding > 0) aborted += codes.filter((code) => code === 'GHOSTNET_ABORTED').length;
  }
}
const summary = (times) => ({ median: median(times), max: Math.max(...times) });
print({
  small: median(undisturbed),
  aborted,
  settling: summary(settling),
  stopping: summary(stopping),
  latency: summary(latencies),
});
