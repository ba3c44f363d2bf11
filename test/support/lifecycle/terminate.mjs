// Worker threads are terminated in the middle of their runs; the main thread's model continues to work.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';

import { GhostNet, Tensor } from 'ghostnet';

const model = await GhostNet.create({ variant: 'ghostnet_050', seed: 1 });
const input = Tensor.empty('float32', [8, 3, 224, 224]);
if (isMainThread) {
  const before = (await model.forward(input)).data.slice();
  for (let round = 0; round < 24; ++round) {
    const worker = new Worker(new URL(import.meta.url));
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await new Promise((resolve) => setTimeout(resolve, (7 * round) % 40));
    await worker.terminate();
  }
  const after = (await model.forward(input)).data;
  console.log(JSON.stringify({ same: before.every((value, i) => value === after[i]) }));
} else {
  // Short runs are terminated while promises are settled, long runs while they compute.
  const short = Tensor.empty('uint8', [1, 32, 32, 3]);
  for (let i = 0; i < 1000; ++i) model.forward(i % 20 === 0 ? input : short);
  parentPort.postMessage('running');
}
