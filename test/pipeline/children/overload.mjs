// Open-loop arrivals at a multiple of the rate that the pipeline reaches: images come whether or not others have finished.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';

import { given, median, percentile, print, repeated } from './common.mjs';

const { files, seconds, saturation, times, maxQueue, maxBatch } = given;
const model = await GhostNet.create({ seed: 1 });
const images = repeated(
  files.map((file) => readFileSync(file)),
  1000,
);

/** The rate of so many callers that the pipeline always has work: images, and the seconds that they took. */
async function saturated(milliseconds) {
  const pipeline = model.pipeline({ maxQueue, maxBatch, whenFull: 'wait' });
  let done = 0;
  let isOver = false;
  const caller = async () => {
    while (!isOver) {
      await pipeline.run(images[done % images.length]);
      done += 1;
    }
  };
  const start = performance.now();
  const callers = Array.from({ length: 2 * maxQueue }, caller);
  await sleep(milliseconds);
  const rate = { done, seconds: (performance.now() - start) / 1000 };
  isOver = true;
  await Promise.all(callers);
  return rate;
}

await saturated(500);
const before = await saturated(saturation);

const pipeline = model.pipeline({ maxQueue, maxBatch });
const latencies = [];
const codes = {};
const waiting = [];
const sampler = setInterval(() => waiting.push(pipeline.stats().waiting), 20);
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

const rate = (times * before.done) / before.seconds;
const start = performance.now();
const arrivals = [];
for (;;) {
  const now = performance.now() - start;
  if (now > 1000 * seconds) break;
  const due = Math.floor((now / 1000) * rate);
  while (arrivals.length < due) arrivals.push(arrive(images[arrivals.length % images.length]));
  await sleep(2);
}
loop.disable();
const lastArrival = performance.now();
await Promise.all(arrivals);
clearInterval(sampler);
const drained = performance.now() - lastArrival;
// Other processes take more of the processor at one time than at another: the rate is that of both sides of the overload.
const after = await saturated(saturation);
const { accepted, rejected, succeeded, batches } = pipeline.stats();
print({
  capacity: (before.done + after.done) / (before.seconds + after.seconds),
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
