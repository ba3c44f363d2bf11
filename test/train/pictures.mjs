// Small pictures of classes that a small network tells apart: stripes of a direction and a colour, with noise.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import sharp from 'sharp';

import { GhostNet } from '../../dist/index.mjs';

export const classes = ['across', 'down', 'plain'];

/** @returns the samples of a split: `count` pictures of each class, a quarter of them for validation */
export async function makePictures(folder, count, side = 48) {
  const split = { train: [], validation: [] };
  let noise = 1;
  for (const [label, name] of classes.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let number = 0; number < count; number += 1) {
      const pixels = Buffer.alloc(side * side * 3);
      for (let index = 0; index < pixels.length; index += 1) {
        noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
        const [y, x] = [Math.floor(index / 3 / side), Math.floor(index / 3) % side];
        const stripe = [y, x, 0][label] % 8 < 4 ? 150 : 70;
        pixels[index] = stripe + (noise >>> 27) + number;
      }
      const path = join(folder, name, `${number}.png`);
      await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
        .png()
        .toFile(path);
      const key = createHash('sha256').update(readFileSync(path)).digest('hex');
      split[number % 4 === 3 ? 'validation' : 'train'].push({ path, label, key });
    }
  }
  return split;
}

/** Saves a small network with other classes than those of the pictures. */
export async function saveSource(path) {
  const options = { variant: 'ghostnet_010', inputSize: 32, numClasses: 5, seed: 3 };
  const model = await GhostNet.create(options);
  await model.save(path);
  model.dispose();
}
