// Makes models one after another and drops them: the garbage collector must take their size into account.
import { readFileSync } from 'node:fs';

import { GhostNet } from 'ghostnet';

const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
let highest = 0;
for (let seed = 0; seed < 60; ++seed) {
  await GhostNet.create({ variant: 'ghostnet_100', seed });
  await new Promise((resolve) => setImmediate(resolve));
  highest = Math.max(highest, rss());
}
console.log(JSON.stringify({ highest }));
