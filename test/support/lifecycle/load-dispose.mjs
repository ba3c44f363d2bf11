// Loads, runs and disposes of a model many times: memory, threads and handles stay constant.
import { readdirSync, readFileSync } from 'node:fs';

import { GhostNet, Tensor } from 'ghostnet';

const rounds = Number(process.argv[2]);
const measure = () => ({
  rss: Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024,
  threads: readdirSync('/proc/self/task').length,
  handles: readdirSync('/proc/self/fd').length,
});
const input = Tensor.empty('uint8', [1, 64, 64, 3]);
let settled;
for (let round = 1; round <= rounds; ++round) {
  const model = await GhostNet.load();
  (await model.forward(input)).dispose();
  model.dispose();
  if (round === Math.floor(rounds / 5)) settled = measure();
}
console.log(JSON.stringify({ settled, end: measure() }));
