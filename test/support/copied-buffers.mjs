// Exercises tensors and a network and prints the results, which must be the same for every native binary.
import { createHash } from 'node:crypto';
import { GhostNet, Tensor } from 'ghostnet';

const digest = ({ buffer, byteOffset, byteLength }) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
const codeOf = (action) =>
  Promise.resolve()
    .then(action)
    .then(
      () => 'no error',
      ({ code, name }) => code ?? name,
    );
const report = {};

const values = Float32Array.from({ length: 2 * 3 * 64 * 64 }, (_, index) => Math.sin(index));
const tensor = Tensor.from(values, [2, 3, 64, 64]);
values.fill(0);
report.copied = digest(tensor.data);
report.shape = tensor.shape;
report.sameView = tensor.data === tensor.data;
report.empty = Tensor.empty('int64', [2, 2]).data.join();
report.nothing = Tensor.empty('uint8', [0]).disposed;
report.scalar = Tensor.from(Float32Array.of(3), []).data[0];
report.dtypes = [Float64Array, Int32Array, Int16Array, Int8Array, Uint8Array].map((type) => {
  const made = Tensor.from(type.of(1, 2, 3), [3]);
  return [made.dtype, made.data.join()];
});

const model = await GhostNet.create({
  variant: 'ghostnet_050',
  numClasses: 3,
  seed: 1,
  threads: 1,
  inputSize: 32,
});
report.logits = digest((await model.forward(tensor)).data);
report.features = digest((await model.embed(tensor)).data);
report.bytes = digest((await model.forward(Tensor.empty('uint8', [1, 32, 32, 3]))).data);
report.state = [...(await model.stateDict())].map(([name, { data }]) => [name, digest(data)]);
report.classes = await model.classify(Tensor.empty('uint8', [40, 50, 3]));

// The next run reads the values written to a tensor.
tensor.data.fill(0.25);
report.rewritten = digest((await model.forward(tensor)).data);

// Disposed of while a run is waiting.
const before = Array.from({ length: 4 }, () => model.forward(tensor));
const waiting = model.forward(tensor);
const views = [tensor.data, new Uint8Array(tensor.data.buffer), tensor.data.subarray(5)];
tensor.dispose();
tensor.dispose();
report.lengths = views.map(({ length }) => length);
report.disposed = [tensor.disposed, tensor.data.length];
report.waited = digest((await waiting).data);
await Promise.all(before);
report.after = await codeOf(() => model.forward(tensor));
report.wrong = [
  await codeOf(() => Tensor.from(new Float32Array(3), [4])),
  await codeOf(() => Tensor.empty('float32', [2 ** 40, 2 ** 40])),
  await codeOf(() => model.forward(Tensor.empty('float32', [1, 3, 31, 31]))),
];
console.log(JSON.stringify(report));
