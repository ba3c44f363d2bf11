// Images per second of classify() with a list, and of 64 callers of run() with one image each, in turn.
import { readFileSync } from 'node:fs';

import { GhostNet } from 'ghostnet';

import { given, median, print, repeated } from './common.mjs';

const { files, rounds, count } = given;
const callers = 64;
const model = await GhostNet.create({ seed: 1 });
const pipeline = model.pipeline();
const images = repeated(
  files.map((file) => readFileSync(file)),
  count,
);

async function listed() {
  await model.classify(images);
}

async function concurrent() {
  const left = images.values();
  const caller = async () => {
    for (const image of left) await pipeline.run(image);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

/** Time of the processor for each image, in milliseconds. */
const processor = { listed: [], concurrent: [] };

async function rate(work) {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  processor[work.name].push((user + system) / 1000 / count);
  return (1000 * count) / (performance.now() - start);
}

await listed();
await concurrent();
const [list, callersRate, ratios] = [[], [], []];
for (let round = 0; round < rounds; ++round) {
  // Each is first in every other round.
  const one = round % 2 === 0 ? await rate(listed) : undefined;
  callersRate.push(await rate(concurrent));
  list.push(one ?? (await rate(listed)));
  ratios.push(callersRate.at(-1) / list.at(-1));
}
const { batches, succeeded } = pipeline.stats();
print({
  list: median(list),
  callers: median(callersRate),
  ratio: median(ratios),
  batchSize: succeeded / batches,
  processor: [median(processor.concurrent), median(processor.listed)],
});
