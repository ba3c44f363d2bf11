// Makes each allocation of the addon fail in turn, under LD_PRELOAD of native/test/faults: every call settles, with its result or a
// code, and works afterwards. Arguments: how many allocations to pass over between two, and names of calls. Prints JSON.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GhostNet, Tensor, ghostModule, inspectWeights } from 'ghostnet';
import sharp from 'sharp';

const [stride, ...only] = process.argv.slice(2);
const step = Number(stride);

const stages = [[[3, 16, 16, 0, 1]], [[3, 48, 24, 0.25, 2]]];
const created = { stages, numClasses: 4, inputSize: 32, seed: 1 };
const jpeg = readFileSync(process.env.GHOSTNET_JPEG);
const progressive = readFileSync(process.env.GHOSTNET_PROGRESSIVE);
const png = await sharp(jpeg).png().toBuffer();
const pixels = { data: new Uint8Array(90 * 60 * 3).fill(99), width: 90, height: 60 };

const model = await GhostNet.create(created);
const folder = mkdtempSync(join(tmpdir(), 'ghostnet-faults-'));
const file = join(folder, 'model.safetensors');
await model.save(file);
const weights = readFileSync(file);
const x = Tensor.from(new Float32Array(3 * 32 * 32).fill(0.5), [1, 3, 32, 32]);
const convolution = {
  primary_weight: Tensor.from(new Float32Array(4 * 3).fill(0.1), [4, 3, 1, 1]),
  primary_bias: Tensor.from(new Float32Array(4), [4]),
  cheap_weight: Tensor.from(new Float32Array(4 * 9).fill(0.1), [4, 1, 3, 3]),
  cheap_bias: Tensor.from(new Float32Array(4), [4]),
};
const valuesOf = async (tensor) => Array.from((await tensor).data);

/** The calls, and what shows that one gave the right result. */
const calls = {
  classify: () => model.classify(jpeg),
  'classify a path': () => model.classify(process.env.GHOSTNET_JPEG),
  'classify a progressive image': () => model.classify(progressive),
  'classify a PNG': () => model.classify(png),
  'classify pixels': () => model.classify(pixels),
  'classify many': () => model.classify([jpeg, pixels, jpeg]),
  embed: () => valuesOf(model.embed(jpeg)),
  forward: () => valuesOf(model.forward(x)),
  preprocess: async () => (await model.preprocess([jpeg])).shape,
  'ghost module': () => valuesOf(ghostModule(x, convolution)),
  create: async () => (await GhostNet.create(created)).dispose(),
  load: async () => {
    const loaded = await GhostNet.load(weights);
    try {
      return await loaded.classify(pixels);
    } finally {
      loaded.dispose();
    }
  },
  save: async () => {
    await model.save(file);
    return readFileSync(file).equals(weights);
  },
  inspect: async () => inspectWeights(weights),
};

const never = Symbol('never');
const most = 10_000;

async function outcomeOf(call) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, most, never);
  });
  try {
    return { result: await Promise.race([call(), late]) };
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}

const figures = {};
const problems = [];
for (const [name, call] of Object.entries(calls)) {
  if (only.length > 0 && !only.includes(name)) continue;
  const expected = JSON.stringify(await call());
  const counts = { allocations: 0, refused: 0, succeeded: 0 };
  for (const mode of ['', ' on']) {
    for (let allocation = 0; ; allocation += step) {
      process.env.GHOSTNET_FAULT = `memory ${allocation}${mode}`;
      const { result, error } = await outcomeOf(call);
      const failed = Number(process.env.GHOSTNET_FAULTS);
      process.env.GHOSTNET_FAULT = 'none';
      const where = `${name}, allocation ${allocation}${mode}`;
      if (error !== undefined) {
        counts.refused += 1;
        if (error.code !== 'GHOSTNET_OUT_OF_MEMORY') problems.push(`${where}: ${error.code} ${error.stack}`);
      } else if (result === never) {
        problems.push(`${where}: is not settled`);
      } else {
        counts.succeeded += 1;
        if (JSON.stringify(result) !== expected) problems.push(`${where}: ${JSON.stringify(result)}`);
      }
      const again = await outcomeOf(call);
      if (JSON.stringify(again.result) !== expected)
        problems.push(`${where}: does not work afterwards: ${again.error}`);
      if (failed === 0) {
        counts.allocations = Math.max(counts.allocations, allocation);
        break;
      }
      if (problems.length > 10) break;
    }
  }
  figures[name] = counts;
}
rmSync(folder, { recursive: true });
process.stdout.write(JSON.stringify({ figures, problems }));
