// For each way of releasing an input while a job waits, prints whether the result of the job is that of an untouched input.
// Needs --expose-gc.
import { GhostNet, Tensor } from 'ghostnet';

const model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 10, seed: 1, threads: 1 });
const shape = [4, 3, 96, 96];
const values = Float32Array.from({ length: 4 * 3 * 96 * 96 }, (_, index) => Math.sin(index));
const undisturbed = Tensor.from(values, shape);
// Keeps the executor busy for longer than a few garbage collections take.
const longRun = Tensor.empty('uint8', [32, 224, 224, 3]);
const expected = Buffer.from((await model.forward(undisturbed)).data.buffer);

// Allocates memory of the size that may just have been freed, and overwrites it.
function spoil() {
  return Array.from({ length: 8 }, () =>
    Tensor.from(
      values.map(() => NaN),
      shape,
    ),
  );
}

async function collect() {
  for (let round = 0; round < 5; ++round) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
}

const moved = [];
const ways = {
  dispose: (input) => {
    input.dispose();
  },
  collect: () => undefined,
  ...('transfer' in ArrayBuffer.prototype && {
    transfer: (input) => moved.push(input.data.buffer.transfer()),
    transferAndCollect: (input) => void input.data.buffer.transfer(),
  }),
};

const report = {};
for (const [name, letGo] of Object.entries(ways)) {
  const before = Array.from({ length: 12 }, () => model.forward(longRun));
  let ran = false;
  const result = (() => {
    const input = Tensor.from(values, shape);
    const pending = model.forward(input);
    letGo(input);
    return pending;
  })().finally(() => (ran = true));
  await collect();
  const spoilt = spoil();
  report[name] = { waited: !ran, equal: Buffer.from((await result).data.buffer).equals(expected) };
  await Promise.all(before);
  for (const tensor of spoilt) tensor.dispose();
}
if (moved.length > 0) {
  // Memory that was moved out of a tensor outlives it.
  await collect();
  report.movedStays = { waited: true, equal: Buffer.from(moved[0]).equals(Buffer.from(values.buffer)) };
}
console.log(JSON.stringify(report));
