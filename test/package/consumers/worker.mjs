import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { GhostNet } from 'ghostnet';

if (isMainThread) {
  const label = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: process.argv[2] });
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  const labels = new Set(await Promise.all([label(), label()]));
  console.log([...labels].join());
} else {
  const model = await GhostNet.load();
  const [best] = await model.classify(workerData);
  parentPort.postMessage(best.label);
}
