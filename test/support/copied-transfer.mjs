// Transfers the memory of a tensor while a run is waiting, and prints the state of both. For a binary whose tensors are in
// JavaScript's own memory.
import { GhostNet, Tensor } from 'ghostnet';

const model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 3, seed: 1, threads: 1 });
const values = Float32Array.from({ length: 3 * 64 * 64 }, (_, index) => Math.sin(index));
const tensor = Tensor.from(values, [1, 3, 64, 64]);
const expected = (await model.forward(tensor)).data.join();
const waiting = model.forward(tensor);
const moved = structuredClone(tensor.data, { transfer: [tensor.data.buffer] });
moved.fill(0);
const { disposed } = tensor;
const equal = (await waiting).data.join() === expected;
const code = await model.forward(tensor).then(
  () => 'no error',
  (error) => error.code,
);
console.log(JSON.stringify({ moved: moved.length, disposed, equal, code }));
