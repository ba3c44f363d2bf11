// node peer-server.mjs <settings as JSON>: POST /classify as ours, on sharp and onnxruntime-node: it decodes in libuv's threads, and
// whatever is ready when the session is free is the next batch, up to the largest.
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { openClassifier } from '../pipeline/classifier.mjs';

const { network, settings } = JSON.parse(process.argv[2]);
const classifier = await openClassifier(network, settings);
const ready = [];
let isBusy = false;

async function computeBatches() {
  if (isBusy) return;
  isBusy = true;
  // Those that were decoded meanwhile.
  for (await undefined; ready.length > 0;) {
    const batch = ready.splice(0, settings.batch);
    const logits = await classifier.compute(batch.map(({ image }) => image));
    for (const [index, { resolve }] of batch.entries()) resolve(Float32Array.from(logits[index]));
    // Requests that came in.
    await new Promise((resolve) => setImmediate(resolve));
  }
  isBusy = false;
}

function classesOf(logits, topK) {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a]);
  return order.slice(0, topK).map((index) => ({ label: String(index), index, score: powers[index] / sum }));
}

const server = createServer(async (request, response) => {
  try {
    const image = await classifier.prepare(await buffer(request));
    const logits = await new Promise((resolve) => {
      ready.push({ image, resolve });
      void computeBatches();
    });
    const body = JSON.stringify({ classes: classesOf(logits, 5) });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  } catch (error) {
    response.writeHead(500).end(error.message);
  }
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
