// Ends the process in the middle of a run, in the way that the argument names.
import { GhostNet, Tensor } from 'ghostnet';

const model = await GhostNet.create({ variant: 'ghostnet_050', seed: 1 });
const input = Tensor.empty('float32', [6, 3, 224, 224]);
for (let i = 0; i < 20; ++i) model.forward(input);
await new Promise((resolve) => setTimeout(resolve, 30));
switch (process.argv[2]) {
  case 'exit':
    process.exit(7);
    break;
  case 'throw':
    setImmediate(() => {
      throw new Error('thrown on purpose');
    });
    break;
  case 'abort-handler':
    process.on('SIGTERM', () => process.exit(9));
    process.kill(process.pid, 'SIGTERM');
    break;
  case 'wait':
    console.log('running');
    break;
}
