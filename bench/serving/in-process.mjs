// node in-process.mjs <settings as JSON>: a pipeline and callers, each of which gives it the next photo when it has its answer.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { GhostNet } from '../../dist/index.js';

const { weights, files } = JSON.parse(process.argv[2]);
const model = await GhostNet.load(weights);
const pipeline = model.pipeline({ topK: 5 });
const photos = files.map((file) => readFileSync(file));
console.log('ready');

for await (const line of createInterface({ input: process.stdin })) {
  const { callers, seconds } = JSON.parse(line);
  const start = performance.now();
  const before = process.cpuUsage();
  const end = start + 1000 * seconds;
  const times = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) {
        const begun = performance.now();
        // A server has each photo in memory of its own, too.
        await pipeline.run(Buffer.from(photos[next++ % photos.length]));
        times.push(performance.now() - begun);
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  console.log(
    JSON.stringify({
      answered: times.length,
      failed: 0,
      perSecond: (1000 * times.length) / (performance.now() - start),
      p50: at(0.5),
      p99: at(0.99),
      cpuMs: (user + system) / 1000 / times.length,
    }),
  );
}
