// Open-loop arrivals at a multiple of the rate that the pipeline reaches: images come whether or not others have finished.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';

import { given, median, percentile, print, repeated } from './common.mjs';

const { files, seconds, times, maxQueue, maxBatch } = given;
const model = await GhostNet.create({ seed: 1 });
const images = repeated(
  files.map((file) => readFileSync(file)),
  1000,
);

/** The rate of as many callers as keep the pipeline busy, in images per second. */
async function saturated(milliseconds) {
  const pipeline = model.pipeline({ maxQueue, maxBatch });
  let done = 0;
  let isOver = false;
  const caller = async () => {
    while (!isOver) {
      await pipeline.run(images[done % images.length]);
      done += 1;
    }
  };
  const start = performance.now();
  const callers = Array.from({ length: maxQueue }, caller);
  await sleep(milliseconds);
  const rate = (1000 * done) / (performance.now() - start);
  isOver = true;
  await Promise.all(callers);
  return rate;
}

await saturated(500);
const capacity = await saturated(3000);

const pipeline = model.pipeline({ maxQueue, maxBatch });
const latencies = [];
const codes = {};
const waiting = [];
const sampler = setInterval(() => waiting.push(pipeline.stats().waiting), 10);
const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();

async function arrive(image) {
  const start = performance.now();
  try {
    await pipeline.run(image);
    latencies.push(performance.now() - start);
  } catch ({ code }) {
    codes[code] = (codes[code] ?? 0) + 1;
  }
}

const start = performance.now();
const arrivals = [];
for (;;) {
  const now = performance.now() - start;
  if (now > 1000 * seconds) break;
  const due = Math.floor((now / 1000) * times * capacity);
  while (arrivals.length < due) arrivals.push(arrive(images[arrivals.length % images.length]));
  await sleep(2);
}
loop.disable();
const lastArrival = performance.now();
await Promise.all(arrivals);
clearInterval(sampler);
const drained = performance.now() - lastArrival;
const { accepted, rejected, succeeded, batches } = pipeline.stats();
print({
  capacity,
  arrived: arrivals.length,
  accepted,
  rejected,
  succeeded,
  rejections: codes,
  batchSize: succeeded / batches,
  perSecond: succeeded / (seconds + drained / 1000),
  mostWaiting: Math.max(...waiting),
  samples: waiting.length,
  p50: median(latencies),
  p99: percentile(latencies, 0.99),
  loop: loop.percentile(99) / 1e6,
});
