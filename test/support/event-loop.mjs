// Prints, in milliseconds, the 99th percentile of the event loop's delay while idle and while batches run one after
// another, and the time to read a file while eight batches wait.
import { readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { GhostNet, Tensor } from 'ghostnet';

async function delayDuring(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return { p99: histogram.percentile(99) / 1e6, count: histogram.count };
}

const model = await GhostNet.create({ seed: 1 });
const input = Tensor.empty('float32', [32, 3, 224, 224]);
input.data.forEach((_, index, data) => (data[index] = Math.sin(index)));
await model.forward(input);

const idle = await delayDuring(() => sleep(1000));
const busy = await delayDuring(async () => {
  for (let batch = 0; batch < 3; ++batch) await model.forward(input);
});

const small = Tensor.from(input.data.subarray(0, 8 * 3 * 224 * 224), [8, 3, 224, 224]);
const start = performance.now();
let waiting = 8;
const batches = Array.from({ length: waiting }, () => model.forward(small).then(() => --waiting));
const reads = [];
while (waiting > 0) {
  const before = performance.now();
  await readFile(new URL(import.meta.url));
  reads.push(performance.now() - before);
  await sleep(5);
}
await Promise.all(batches);
const batch = (performance.now() - start) / batches.length;
reads.sort((a, b) => a - b);
console.log(JSON.stringify({ idle, busy, batch, reads: reads.length, read: reads[reads.length >> 1] }));
