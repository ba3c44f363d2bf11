// Disposes of a model while its jobs wait: the jobs succeed, later calls are rejected.
import { GhostNet, Tensor } from 'ghostnet';

const model = await GhostNet.create({ variant: 'ghostnet_050', seed: 1 });
const input = Tensor.empty('float32', [2, 3, 224, 224]);
const waiting = Array.from({ length: 8 }, () => model.forward(input));
model.dispose();
input.dispose();
const later = await model.forward(Tensor.empty('float32', [1, 3, 32, 32])).catch((error) => error.code);
const results = await Promise.all(waiting);
console.log(JSON.stringify({ later, ended: results.length, shape: results[7].shape }));
