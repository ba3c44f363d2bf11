import { GhostNet, Tensor } from '../../dist/index.js';
import { native } from '../../dist/native/load.js';
import { packageVersion } from '../machine.mjs';
import { serve } from '../serve.mjs';

await serve(async ({ weights, values, shape, threads }) => {
  const model = await GhostNet.load(weights, { threads });
  const input = Tensor.from(values, shape);
  const { libtorch, cpuCapability } = native().runtime();
  return {
    name: `ghostnet ${packageVersion}`,
    settings: { threads, libtorch, cpuCapability },
    run: () => model.forward(input),
  };
});
