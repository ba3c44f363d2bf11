// A worker: lists what globs match below a folder, one after another, and says after each how many entries there were.
import { parentPort, workerData } from 'node:worker_threads';

import { listImages } from '../../dist/sources/list-images.js';

const { folder, globs } = workerData;
for (const glob of globs) {
  let entries = 0;
  for await (const entry of listImages(`${folder}/${glob}`)) entries += entry.name === '' ? 0 : 1;
  parentPort.postMessage(entries);
}
