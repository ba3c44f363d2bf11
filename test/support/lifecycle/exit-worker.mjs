// The main thread, which never opens the native addon itself, exits while a worker thread runs.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  process.exit(8);
} else {
  const { GhostNet, Tensor } = await import('ghostnet');
  const model = await GhostNet.create({ variant: 'ghostnet_050', seed: 1 });
  const input = Tensor.empty('float32', [6, 3, 224, 224]);
  for (let i = 0; i < 20; ++i) model.forward(input);
  setTimeout(() => parentPort.postMessage('running'), 30);
}
