// Prints what V8 knows of the memory of tensors, in bytes. Needs --expose-gc.
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

// Nobody calls gc() here: that V8 is told of the memory is what makes it collect in time.
const resident = process.memoryUsage.rss();
let peak = 0;
for (let count = 0; count < 32; ++count) {
  Tensor.empty('uint8', [size]);
  await new Promise(setImmediate);
  peak = Math.max(peak, process.memoryUsage.rss() - resident);
}
console.log(JSON.stringify({ size, held, disposed, dropped, collected, peak }));
