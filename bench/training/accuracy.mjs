import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GhostNet } from '../../dist/index.mjs';
import { finetune } from '../../dist/training/finetune.js';
import { layersOf, loadNetwork, storedTransformOf, transformOf } from '../../dist/training/network.js';
import { storePictures } from '../../dist/training/pictures.js';
import { createPixelStore } from '../../dist/training/pixel-store.js';

import { recipe } from './speed.mjs';
import { torchTraining } from './torch.mjs';

const leastArea = 0.35;

async function samplesOf(folder) {
  const classes = (await readdir(folder)).sort();
  const lists = classes.map(async (name, label) => {
    const files = (await readdir(join(folder, name))).sort();
    return files.map((file) => ({ path: join(folder, name, file), label, key: `${name}/${file}` }));
  });
  return { classes, samples: (await Promise.all(lists)).flat() };
}

/** Writes the pixels that our training works with to a file, for PyTorch. */
async function pixelsFor(model, samples, transform, file) {
  const state = await model.stateDict();
  const arrays = Array.from(state, ([name, { dtype, shape, data }]) => {
    return [name, { dtype, shape, data: new Uint8Array(data.buffer) }];
  });
  const network = await loadNetwork(arrays, layersOf(model.info, model.info.numClasses), transform);
  const store = await createPixelStore(samples.length, transform.inputSize, {
    memoryBytes: 0,
    folder: tmpdir(),
  });
  await storePictures(network, samples, store, { decoders: 4 });
  const out = openSync(file, 'w');
  for (const index of samples.keys()) {
    const one = await store.gather([index]);
    writeSync(out, new Uint8Array(one.buffer));
    one.dispose();
  }
  closeSync(out);
  await store.close();
  network.dispose();
  return { file, side: transform.inputSize, labels: samples.map(({ label }) => label) };
}

/**
 * Trains the same network on the same pictures by the same recipe, here and in PyTorch, with several seeds.
 *
 * @param data - a folder with train/CLASS/ and test/CLASS/
 * @returns [{ seed, ours, torch }], shares of right answers on test/
 */
export async function compareAccuracy({ data, seeds, epochs, side, width, threads, progress }) {
  const train = await samplesOf(join(data, 'train'));
  const test = await samplesOf(join(data, 'test'));
  const { classes } = train;
  const folder = await mkdtemp(join(tmpdir(), 'ghostnet-accuracy-'));
  const variant = `ghostnet_${String(Math.round(width * 100)).padStart(3, '0')}`;
  const rows = [];
  try {
    for (const seed of seeds) {
      const model = await GhostNet.create({
        ...{ variant, seed, threads, inputSize: side, numClasses: classes.length, labels: classes },
      });
      const settings = {
        ...recipe,
        epochs,
        batchSize: 64,
        seed,
        patience: 0,
        threads,
        augment: { leastArea },
      };
      const { reports } = await finetune({
        ...{ model, classes, settings, split: { train: train.samples, validation: test.samples } },
        onEpoch: ({ epoch, top1 }) => progress(`seed ${seed}, epoch ${epoch}: ${(100 * top1).toFixed(1)} %`),
      });
      const parts = {
        train: await pixelsFor(model, train.samples, storedTransformOf(model.info), join(folder, 'train')),
        validation: await pixelsFor(model, test.samples, transformOf(model.info), join(folder, 'test')),
      };
      const torch = await torchTraining('accuracy', {
        ...{ ...recipe, ...parts, width, classes: classes.length, epochs, batchSize: 64, seed, threads },
        ...{ leastArea, warmup: 0.05 },
      });
      // The last epoch, as in PyTorch: the test pictures select nothing.
      rows.push({ seed, ours: reports.at(-1).top1, torch });
      progress(`seed ${seed}: ${JSON.stringify(rows.at(-1))}`);
      model.dispose();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}
