// Prints the memory of tensors that V8 knows of, in bytes. Needs --expose-gc.
import { Tensor } from 'ghostnet';

const size = 64 << 20;
const known = () => {
  const { external, arrayBuffers } = process.memoryUsage();
  return { external, arrayBuffers };
};
const since = (before) => {
  const now = known();
  return { external: now.external - before.external, arrayBuffers: now.arrayBuffers - before.arrayBuffers };
};

Tensor.empty('uint8', [1]).dispose();
globalThis.gc();
const start = known();
const tensor = Tensor.empty('uint8', [size]);
const held = since(start);
tensor.dispose();
const disposed = since(start);

(() => Tensor.empty('uint8', [size]))();
const dropped = since(start);
for (let round = 0; round < 5; ++round) {
  globalThis.gc();
  await new Promise(setImmediate);
}
const collected = since(start);

// Nothing calls gc() here: V8 collects in time because it is informed of the memory.
const resident = process.memoryUsage.rss();
let peak = 0;
for (let count = 0; count < 32; ++count) {
  Tensor.empty('uint8', [size]);
  await new Promise(setImmediate);
  peak = Math.max(peak, process.memoryUsage.rss() - resident);
}
console.log(JSON.stringify({ size, held, disposed, dropped, collected, peak }));
