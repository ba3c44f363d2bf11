// Runs a model on LibTorch's own modules: with ONEDNN_VERBOSE=1 oneDNN prints what it runs on.
import { GhostNet, Tensor } from 'ghostnet';

const model = await GhostNet.load(undefined, { backend: 'reference', threads: 1 });
await model.forward(Tensor.empty('uint8', [1, 32, 32, 3]));
