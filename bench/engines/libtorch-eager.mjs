import { GhostNet, Tensor } from '../../dist/index.js';
import { native } from '../../dist/native/load.js';
import { serve } from '../serve.mjs';

await serve(async ({ weights, values, shape, threads }) => {
  const model = await GhostNet.load(weights, { threads, backend: 'reference' });
  const input = Tensor.from(values, shape);
  const { libtorch, cpuCapability } = native().runtime();
  return {
    name: `LibTorch ${libtorch} eager`,
    settings: { threads, memoryFormat: 'channels_last', cpuCapability },
    run: () => model.forward(input),
  };
});
