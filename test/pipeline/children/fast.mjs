// Labelled pictures, enlarged to photos: the share that gets the same best class with `decode: 'fast'` as with 'exact'.
import { subscribe } from 'node:diagnostics_channel';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { GhostNet } from 'ghostnet';
import sharp from 'sharp';

import { given, print } from './common.mjs';

const { folder, perClass, sides } = given;
const model = await GhostNet.load();
const pipelines = ['exact', 'fast'].map((decode) => model.pipeline({ topK: 1, decode }));
const scales = new Map(pipelines.map((pipeline) => [pipeline, {}]));
subscribe('ghostnet.pipeline.image', ({ pipeline, scale }) => {
  const counts = scales.get(pipeline);
  counts[scale] = (counts[scale] ?? 0) + 1;
});

const pictures = readdirSync(folder).flatMap((label) =>
  readdirSync(join(folder, label))
    .slice(0, perClass)
    .map((name) => ({ label, path: join(folder, label, name) })),
);

/** The pictures as JPEGs of a side, made one after another as they are read. */
async function* enlarged(side) {
  const make = (picture) =>
    sharp(picture.path)
      .resize(side, side, { kernel: 'cubic' })
      .jpeg({ quality: 88, chromaSubsampling: '4:2:0' })
      .toBuffer()
      .then((image) => ({ ...picture, image }));
  let next = pictures.slice(0, 2).map(make);
  for (let index = 2; next.length > 0; ++index) {
    yield await next.shift();
    if (index < pictures.length) next.push(make(pictures[index]));
  }
}

/** The best class of a picture by each pipeline. */
const labelsOf = ({ image }) =>
  Promise.all(pipelines.map((pipeline) => pipeline.run(image).then(([{ label }]) => label)));

const results = [];
for (const side of sides) {
  for (const counts of scales.values()) for (const scale of Object.keys(counts)) delete counts[scale];
  const found = [];
  let waiting = [];
  const settle = async () => {
    found.push(...(await Promise.all(waiting)));
    waiting = [];
  };
  for await (const picture of enlarged(side)) {
    waiting.push(labelsOf(picture).then((labels) => ({ right: picture.label, labels })));
    if (waiting.length === 16) await settle();
  }
  await settle();
  const share = (isSo) => found.filter(isSo).length / found.length;
  results.push({
    side,
    pictures: found.length,
    agreement: share(({ labels: [exact, fast] }) => exact === fast),
    accuracy: [0, 1].map((index) => share(({ right, labels }) => labels[index] === right)),
    exactScales: { ...scales.get(pipelines[0]) },
    fastScales: { ...scales.get(pipelines[1]) },
  });
}
print(results);
