// The peak of resident memory after `count` images in one call of classify() or in as many calls of run(), by path or as bytes.
import { readFileSync } from 'node:fs';

import { GhostNet } from 'ghostnet';

import { given, peakMemory, print, repeated } from './common.mjs';

const { files, count, call, asBytes } = given;
const model = await GhostNet.load();
await model.classify({ data: new Uint8Array(3 * 64 * 64), width: 64, height: 64 });
const sources = asBytes ? files.map((file) => readFileSync(file)) : files;
const before = peakMemory();

const images = repeated(sources, count);
let fulfilled;
if (call === 'classify') {
  fulfilled = (await model.classify(images, { topK: 1 })).length;
} else {
  const pipeline = model.pipeline({ topK: 1, whenFull: 'wait' });
  const outcomes = await Promise.allSettled(images.map((image) => pipeline.run(image)));
  fulfilled = outcomes.filter(({ status }) => status === 'fulfilled').length;
}
const own = asBytes ? sources.reduce((sum, { length }) => sum + length, 0) / 1e6 : 0;
print({ before, peak: peakMemory(), own, fulfilled });
