// Twenty worker threads load, run and exit; the main thread never opens the native addon itself.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';

import { GhostNet, Tensor } from 'ghostnet';

if (isMainThread) {
  const results = [];
  for (let round = 0; round < 4; ++round) {
    const round5 = Array.from(
      { length: 5 },
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url));
          worker.once('message', (value) => results.push(value));
          worker.once('error', reject);
          worker.once('exit', resolve);
        }),
    );
    const codes = await Promise.all(round5);
    if (codes.some((code) => code !== 0)) throw new Error(`exit codes ${codes}`);
  }
  console.log(JSON.stringify(results));
} else {
  const model = await GhostNet.load();
  const input = Tensor.from(
    new Uint8Array(64 * 64 * 3).map((_, i) => i),
    [1, 64, 64, 3],
  );
  const logits = await model.forward(input);
  parentPort.postMessage([...logits.data]);
}
