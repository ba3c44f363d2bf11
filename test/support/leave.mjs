// Runs once, then ends in the way that the argument names.
import { GhostNet, Tensor } from 'ghostnet';

const model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 10, seed: 1 });
const input = Tensor.empty('float32', [1, 3, 64, 64]);
const run = model.forward(input).then(({ shape }) => {
  console.log(shape.join());
});
switch (process.argv[2]) {
  case 'idle':
    await run;
    break;
  case 'pending':
    break;
  case 'exit':
    await run;
    process.exit(0);
}
