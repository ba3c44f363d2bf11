// Runs a model on LibTorch's own modules. With ONEDNN_VERBOSE=1, oneDNN prints its instruction set.
import { GhostNet, Tensor } from 'ghostnet';

const model = await GhostNet.load(undefined, { backend: 'reference', threads: 1 });
await model.forward(Tensor.empty('uint8', [1, 32, 32, 3]));
