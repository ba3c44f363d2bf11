import { readFile } from 'node:fs/promises';

import { GhostNet, Tensor } from '../dist/index.js';
import { runJob } from '../dist/native/jobs.js';
import { native } from '../dist/native/load.js';
import { handleOf, tensorOf } from '../dist/tensor.js';

// A trial of trip.mjs: times runs of a null network, and of a network for comparison, in microseconds.
const [, , weights, inputFile] = process.argv;
const bytes = await readFile(inputFile);
const input = Tensor.from(
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
  [1, 3, 224, 224],
);
const model = await GhostNet.load(weights);

// Like GhostNet.forward, but without the network.
async function nullForward() {
  return tensorOf(await runJob({}, (ticket) => native().nullRun(ticket, handleOf(input, 'The input'))));
}

async function time(run, count) {
  const microseconds = [];
  for (let call = 0; call < count; call++) {
    const start = performance.now();
    const output = await run();
    microseconds.push((performance.now() - start) * 1000);
    output.dispose();
  }
  return microseconds;
}

await time(nullForward, 500);
const trips = await time(nullForward, 5000);
await time(() => model.forward(input), 5);
const forwards = await time(() => model.forward(input), 50);
console.log(JSON.stringify({ trips, forwards }));
