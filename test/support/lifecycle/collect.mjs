// Models and tensors that are never disposed of are collected, together with their native memory.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet, Tensor } from 'ghostnet';

const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const collect = async () => {
  for (let i = 0; i < 3; ++i) {
    globalThis.gc();
    await sleep(10);
  }
};
async function use(seed) {
  const model = await GhostNet.create({ variant: 'ghostnet_100', seed });
  const input = Tensor.empty('float32', [4, 3, 224, 224]);
  await model.forward(input);
}
await use(0);
await collect();
const before = rss();
for (let seed = 1; seed <= 24; ++seed) await use(seed);
await collect();
console.log(JSON.stringify({ before, after: rss() }));
