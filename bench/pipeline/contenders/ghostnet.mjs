import sharp from 'sharp';

import { GhostNet } from '../../../dist/index.js';
import { native } from '../../../dist/native/load.js';
import { packageVersion } from '../../machine.mjs';
import { inParallel, take } from '../loops.mjs';
import { serveContender } from '../serve.mjs';

const batchSize = 16; // the default

// Decoded images that `resize` works on take 36 MB each at 12 megapixels.
const raws = 4;

await serveContender(async ({ network, settings }) => {
  const model = await GhostNet.load(network.weights, settings);
  const pipeline = model.pipeline({ topK: 1, whenFull: 'wait' });
  return {
    name: `ghostnet ${packageVersion}`,
    settings: { ...settings, cpuCapability: native().runtime().cpuCapability },
    async scores(files) {
      const all = model.pipeline({ topK: model.info.numClasses });
      const rows = [];
      for await (const item of all.stream(files)) rows.push(logarithms(resultOf(item)));
      await all.close();
      return rows;
    },
    works: {
      async pipeline(next) {
        let images = 0;
        for await (const item of pipeline.stream(filesOf(next))) {
          resultOf(item);
          images++;
        }
        return images;
      },
      callers: (next) => inParallel(next, 64, (file) => pipeline.run(file)),
      ...stagesOf(model),
    },
  };
});

/** Decoding with resizing, resizing of decoded images, and the network, each alone. */
function stagesOf(model) {
  let decoded;
  let batch;
  const prepared = async (images) => (await model.preprocess(images)).dispose();
  const batches = (next, count) => () => {
    const files = take(next, count);
    return files.length > 0 ? files : undefined;
  };
  return {
    async prepare(next) {
      let images = 0;
      await inParallel(batches(next, batchSize), 2, async (files) => {
        await prepared(files);
        images += files.length;
      });
      return images;
    },
    async resize(next) {
      decoded ??= await Promise.all(take(next, raws).map(rawOf));
      let images = 0;
      for (; next() !== undefined; images += raws) await prepared(decoded);
      return images;
    },
    async compute(next) {
      batch ??= await model.preprocess(Array(batchSize).fill(next()));
      let images = 0;
      for (; next() !== undefined; images += batchSize) (await model.forward(batch)).dispose();
      return images;
    },
  };
}

async function rawOf(file) {
  const image = sharp(file, { ignoreIcc: true }).toColourspace('srgb').removeAlpha().raw();
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

function* filesOf(next) {
  for (let file = next(); file !== undefined; file = next()) yield file;
}

function resultOf({ result, error }) {
  if (error !== undefined) throw error;
  return result;
}

function logarithms(classes) {
  const row = [];
  for (const { index, score } of classes) row[index] = Math.log(score);
  return row;
}
