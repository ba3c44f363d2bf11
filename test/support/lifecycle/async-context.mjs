// The context of AsyncLocalStorage survives every promise of the package.
import { AsyncLocalStorage } from 'node:async_hooks';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GhostNet, ghostModule, Tensor } from 'ghostnet';

const storage = new AsyncLocalStorage();
const seen = {};
const image = { data: new Uint8Array(64 * 64 * 3), width: 64, height: 64 };
const longRun = Tensor.empty('uint8', [32, 224, 224, 3]);
await Promise.all(
  [1, 2, 3].map((id) =>
    storage.run(id, async () => {
      const check = (name) => {
        (seen[name] ??= []).push(storage.getStore() === id);
      };
      const model = await GhostNet.load();
      check('load');
      (await GhostNet.create({ width: 0.1 })).dispose();
      check('create');
      const batch = await model.preprocess([image]);
      check('preprocess');
      await model.forward(batch);
      check('forward');
      await model.embed(batch);
      check('embed');
      await model.classify(image);
      check('classify');
      await model.stateDict();
      check('stateDict');
      await model.save(join(tmpdir(), `ghostnet-context-${process.pid}-${id}.safetensors`));
      check('save');
      await model.forward(Tensor.empty('float32', [1, 3, 8, 8])).catch(() => check('rejection'));
      const weights = {
        primary_weight: Tensor.empty('float32', [2, 3, 1, 1]),
        primary_bias: Tensor.empty('float32', [2]),
        cheap_weight: Tensor.empty('float32', [2, 1, 3, 3]),
        cheap_bias: Tensor.empty('float32', [2]),
      };
      await ghostModule(Tensor.empty('float32', [1, 3, 8, 8]), weights);
      check('ghostModule');
      const controller = new AbortController();
      // Longer than it takes to abort the jobs that wait behind it.
      const busy = model.forward(longRun);
      const dropped = model.forward(batch, { signal: controller.signal });
      controller.abort();
      await dropped.catch(() => check('abort'));
      await busy;
    }),
  ),
);
console.log(JSON.stringify(seen));
