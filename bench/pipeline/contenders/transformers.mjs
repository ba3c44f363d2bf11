import { peer } from '../../peers.mjs';
import { each, inParallel, take } from '../loops.mjs';
import { needPeers, serveContender } from '../serve.mjs';

await serveContender(async ({ network, settings }) => {
  needPeers();
  const { env, pipeline } = peer('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.localModelPath = network.models;
  const classify = await pipeline('image-classification', 'transformers', {
    dtype: 'fp32',
    device: 'cpu',
    session_options: { intraOpNumThreads: settings.intra, interOpNumThreads: 1 },
  });
  return {
    name: `@huggingface/transformers ${env.version}`,
    settings,
    async scores(files) {
      const rows = [];
      const next = each(files);
      for (let batch = take(next, settings.batch); batch.length > 0; batch = take(next, settings.batch)) {
        for (const classes of await classify(batch, { top_k: null })) rows.push(logarithms(classes));
      }
      return rows;
    },
    works: {
      async pipeline(next) {
        let images = 0;
        // Each of several calls at once decodes while another one computes.
        await inParallel(
          () => {
            const batch = take(next, settings.batch);
            return batch.length > 0 ? batch : undefined;
          },
          settings.calls,
          async (batch) => {
            images += (await classify(batch, { top_k: 1 })).length;
          },
        );
        return images;
      },
    },
  };
});

function logarithms(classes) {
  const row = [];
  for (const { label, score } of classes) row[Number(label)] = Math.log(score);
  return row;
}
