// node --expose-gc process.mjs <settings as JSON>: works without a pause, and prints a line of JSON after each block of time.
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';

import { Ledger } from './ledger.mjs';
import { activities } from './load.mjs';
import { settle, takeSample, takeSpeed } from './measure.mjs';
import { knownPictures } from './pictures-known.mjs';
import { Random } from './random.mjs';

const { folder, scratch, seconds, warmUp, blocks, seed, rounds, images } = JSON.parse(process.argv[2]);

/** What has not settled so long after the end of a block is lost. */
const longestWait = 30_000;

const model = await GhostNet.load();
const ledger = new Ledger();
const random = new Random(seed);
const pictures = await knownPictures(folder, model);
const pipeline = model.pipeline({ topK: 1, maxQueue: 64, whenFull: 'wait' });
const context = { model, pipeline, ledger, random, pictures, folder: scratch };

async function work(until) {
  const loops = activities.flatMap(([activity, count]) =>
    Array.from({ length: count }, async () => {
      while (performance.now() < until) await activity(context);
    }),
  );
  await sleep(Math.max(0, until - performance.now()));
  const late = new AbortController();
  await Promise.race([
    Promise.all(loops),
    sleep(longestWait, undefined, { signal: late.signal }).catch(() => 0),
  ]);
  late.abort();
  for (const kind of ledger.open) ledger.fault(`${kind}: a promise was lost`);
}

// Also opens what standard output needs.
console.log(JSON.stringify({ pictures: pictures.length }));

const succeeded = () => pipeline.stats().succeeded;
// What is made once, at the first use, is there before the first block ends.
await work(performance.now() + 1000 * warmUp);
await settle(context);
await takeSpeed(context, { rounds: 1, images });
let before;
for (let block = 1; block <= blocks; ++block) {
  const start = performance.now();
  const done = succeeded();
  await work(start + 1000 * seconds);
  const worked = (performance.now() - start) / 1000;
  const perSecond = (succeeded() - done) / worked;
  await settle(context);
  const sample = await takeSample(before);
  before ??= sample;
  const speed = await takeSpeed(context, { rounds, images });
  const { counts, faults } = ledger;
  console.log(JSON.stringify({ block, worked, perSecond, ...sample, speed, counts, faults }));
  if (faults.length > 0) break;
}
await pipeline.close();
model.dispose();
