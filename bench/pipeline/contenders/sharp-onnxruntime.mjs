import { peer } from '../../peers.mjs';
import { best, openClassifier } from '../classifier.mjs';
import { each, inParallel, overlapped } from '../loops.mjs';
import { logSoftmax, needPeers, serveContender } from '../serve.mjs';
import { openWorkers } from '../workers.mjs';

const decoders = 4; // as many as libuv has threads

await serveContender(async ({ network, settings }) => {
  needPeers();
  const { batch, workers } = settings;
  const { env } = peer('onnxruntime-node');
  const { versions } = peer('sharp');
  const description = {
    name: `sharp ${versions.sharp} (libvips ${versions.vips}) + onnxruntime-node ${env.versions.node}`,
    settings,
  };
  if (workers > 0) {
    const pool = await openWorkers(network, settings);
    return {
      ...description,
      scores: async (files) => (await pool.logits(files)).map(logSoftmax),
      works: { pipeline: pool.run },
    };
  }
  const classifier = await openClassifier(network, settings);
  const pipeline = (next, use) =>
    overlapped(next, {
      batch,
      ahead: batch + 2 * decoders,
      decode: classifier.prepare,
      compute: async (images) => (await classifier.compute(images)).map(use),
    });
  return {
    ...description,
    async scores(files) {
      const rows = [];
      await pipeline(each(files), (logits) => rows.push(logSoftmax(logits)));
      return rows;
    },
    works: { pipeline: (next) => pipeline(next, best), ...stagesOf(classifier, batch) },
  };
});

function stagesOf({ decode, resize, prepare, compute }, batch) {
  let raws;
  let prepared;
  return {
    decode: (next) => inParallel(next, decoders, decode),
    prepare: (next) => inParallel(next, decoders, prepare),
    async resize(next) {
      raws ??= await Promise.all([decode(next()), decode(next())]);
      let turn = 0;
      return inParallel(next, decoders, () => resize(raws[turn++ % raws.length]));
    },
    async compute(next) {
      prepared ??= await prepare(next());
      const images = Array.from({ length: batch }, () => prepared);
      let count = 0;
      for (; next() !== undefined; count += batch) await compute(images);
      return count;
    },
  };
}
