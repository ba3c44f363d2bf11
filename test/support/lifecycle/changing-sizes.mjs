// Runs batches of changing sizes, with more shapes than plans are kept. Prints resident memory, in MiB, after a hundred and at the end.
import { readFileSync } from 'node:fs';

import { GhostNet, Tensor } from 'ghostnet';

const batches = Number(process.argv[2]);
const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const model = await GhostNet.load();
const inputs = [];
for (const height of [32, 40, 57, 64]) {
  for (const width of [32, 48, 61]) {
    for (const batch of [1, 2, 3, 4]) inputs.push(Tensor.empty('uint8', [batch, height, width, 3]));
  }
}
let settled;
for (let batch = 1; batch <= batches; ++batch) {
  // The step has no common factor with the number of inputs, so neighbours differ in all sizes and all inputs take their turn.
  (await model.forward(inputs[(batch * 19) % inputs.length])).dispose();
  if (batch === 100) settled = resident();
}
console.log(JSON.stringify({ settled, end: resident() }));
