import { parentPort, workerData } from 'node:worker_threads';

import { best, openClassifier } from './classifier.mjs';

// A worker of workers.mjs: decodes the files that it is sent, and computes batches of them. A message without a file says that there
// are no more.
const { network, settings } = workerData;
const { prepare, compute } = await openClassifier(network, settings);

const waiting = [];
let wanted;
let last = false;
let wake = () => undefined;
parentPort.on('message', (message) => {
  if (message.file === undefined) {
    last = true;
  } else {
    ({ wanted } = message);
    waiting.push(prepare(message.file));
  }
  wake();
});
parentPort.postMessage('open');

for (;;) {
  while (waiting.length < settings.batch && !last) await new Promise((resolve) => (wake = resolve));
  const images = await Promise.all(waiting.splice(0, settings.batch));
  if (images.length > 0) {
    const logits = await compute(images);
    const result =
      wanted === 'best' ? { best: logits.map(best) } : { logits: logits.map((row) => row.slice()) };
    parentPort.postMessage({ done: images.length, ...result });
  } else {
    last = false;
    parentPort.postMessage({ ended: true });
  }
}
