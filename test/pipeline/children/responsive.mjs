// While large photos are decoded: the times of fs.readFile() and dns.lookup(), in milliseconds.
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';

import { given, median, percentile, print, repeated } from './common.mjs';

const { files, count } = given;
const model = await GhostNet.load();
const pipeline = model.pipeline({ whenFull: 'wait' });
await pipeline.run(files[0]);
await lookup('localhost');

const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
let left = count;
const start = performance.now();
const runs = repeated(files, count).map((file) => pipeline.run(file).finally(() => (left -= 1)));
const [reads, lookups] = [[], []];
const timed = async (times, work) => {
  const before = performance.now();
  await work();
  times.push(performance.now() - before);
};
while (left > 0) {
  await timed(reads, () => readFile(fileURLToPath(import.meta.url)));
  await timed(lookups, () => lookup('localhost'));
  await sleep(2);
}
await Promise.all(runs);
loop.disable();
const { length } = reads;
const seconds = (performance.now() - start) / 1000;
const summary = (times) => ({ p50: median(times), p99: percentile(times, 0.99) });
print({
  samples: length,
  perSecond: count / seconds,
  read: summary(reads),
  lookup: summary(lookups),
  loop: loop.percentile(99) / 1e6,
});
