import { GhostNet, Tensor } from '../../dist/index.js';
import { packageVersion } from '../machine.mjs';
import { serve, Unavailable } from '../serve.mjs';

// Less exact than the other engines by design.
const tolerance = 2e-2;

await serve(async ({ weights, values, shape, threads }) => {
  const model = await GhostNet.load(weights, { threads, precision: 'bfloat16' }).catch((error) => {
    if (error.code !== 'GHOSTNET_UNSUPPORTED_PRECISION') throw error;
    throw new Unavailable(`there are no bfloat16 kernels for ${error.found}`);
  });
  const input = Tensor.from(values, shape);
  return {
    name: `ghostnet ${packageVersion} in bfloat16`,
    settings: { threads, precision: model.info.precision },
    tolerance,
    run: () => model.forward(input),
  };
});
