import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { GhostNet, Tensor, type ImageInput } from 'ghostnet';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf, errorOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';
import { differences } from '../support/numbers.js';
import { gradient, plain, toSharp } from '../support/pictures.js';

const side = 32;
const picture = gradient(side, side);

/** Resizing an image to its own size changes nothing, so preprocess() returns the decoded pixels. */
const shown = { stages: smallStages, numClasses: 1, inputSize: side, crop: 1, threads: 1 } as const;
let ignoring: GhostNet;
let applying: GhostNet;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-image-'));
  ignoring = await GhostNet.create(shown);
  applying = await GhostNet.create({ ...shown, colorProfile: 'apply' });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function pixelsOf(image: ImageInput, model = ignoring): Promise<Uint8Array> {
  return (await model.preprocess([image])).data;
}

const grey = (pixels: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: pixels.length / 3 }, (_, index) => pixels[index * 3] ?? 0);
const repeated = (values: Uint8Array): Uint8Array =>
  Uint8Array.from(values, (value) => value).reduce<Uint8Array>(
    (rgb, value, index) => {
      rgb.fill(value, index * 3, index * 3 + 3);
      return rgb;
    },
    new Uint8Array(values.length * 3),
  );

describe('pixels that are decoded already', () => {
  it('pass as they are', async () => {
    expect(await pixelsOf(picture)).toEqual(picture.data);
    expect(await pixelsOf(Tensor.from(picture.data, [side, side, 3]))).toEqual(picture.data);
  });

  it('are copied at the call', async () => {
    const data = Uint8Array.from(picture.data);
    const pixels = pixelsOf({ data, width: side, height: side });
    data.fill(0);
    expect(await pixels).toEqual(picture.data);
  });

  it('may be disposed of as soon as the call is made', async () => {
    const tensor = Tensor.from(picture.data, [side, side, 3]);
    const pixels = pixelsOf(tensor);
    tensor.dispose();
    expect(await pixels).toEqual(picture.data);
  });
});

describe('encoded images', () => {
  it('can be a path, a URL or bytes', async () => {
    const bytes = await toSharp(picture).png().toBuffer();
    const path = join(folder, 'ä picture #1%.png');
    writeFileSync(path, bytes);
    for (const source of [path, pathToFileURL(path), bytes, new Uint8Array(bytes)])
      expect(await pixelsOf(source)).toEqual(picture.data);
  });

  it('are copied at the call', async () => {
    const bytes = new Uint8Array(await toSharp(picture).png().toBuffer());
    const pixels = pixelsOf(bytes);
    bytes.fill(0);
    expect(await pixels).toEqual(picture.data);
  });

  it.each<[string, () => Promise<Buffer>]>([
    ['PNG', () => toSharp(picture).png().toBuffer()],
    ['interlaced PNG', () => toSharp(picture).png({ progressive: true }).toBuffer()],
    ['WebP', () => toSharp(picture).webp({ lossless: true }).toBuffer()],
    ['TIFF', () => toSharp(picture).tiff({ compression: 'lzw' }).toBuffer()],
  ])('without loss: %s', async (_, encode) => {
    expect(await pixelsOf(await encode())).toEqual(picture.data);
  });

  it.each<[string, () => Promise<Buffer>]>([
    ['JPEG', () => toSharp(picture).jpeg({ quality: 95 }).toBuffer()],
    ['progressive JPEG', () => toSharp(picture).jpeg({ quality: 95, progressive: true }).toBuffer()],
    ['WebP', () => toSharp(picture).webp({ quality: 95 }).toBuffer()],
    ['AVIF', () => toSharp(picture).avif({ quality: 95 }).toBuffer()],
    ['GIF', () => toSharp(picture).gif({ dither: 0 }).toBuffer()],
  ])('with some loss: %s', async (_, encode) => {
    expect(differences(await pixelsOf(await encode()), picture.data).mean).toBeLessThan(3);
  });

  it('with a palette', async () => {
    const colours = [
      [200, 30, 60],
      [10, 120, 240],
    ] as const;
    const data = Uint8Array.from({ length: side * side }, (_, index) => index % 2)
      .reduce<number[]>((all, colour) => all.concat(colours[colour] ?? []), [])
      .map(Number);
    const striped = { data: Uint8Array.from(data), width: side, height: side };
    const encoded = await toSharp(striped).png({ palette: true, colours: 2 }).toBuffer();
    expect((await sharp(encoded).metadata()).isPalette).toBe(true);
    expect(await pixelsOf(encoded)).toEqual(striped.data);
  });

  it('of an animation give the first frame', async () => {
    const frames = [plain(side, side, [250, 10, 20]), plain(side, side, [10, 250, 20])];
    const stills = await Promise.all(frames.map((frame) => toSharp(frame).png().toBuffer()));
    for (const format of ['gif', 'webp'] as const) {
      const animated = await sharp(stills, { join: { animated: true } })
        .toFormat(format)
        .toBuffer();
      expect((await sharp(animated).metadata()).pages).toBe(2);
      const { mean } = differences(await pixelsOf(animated), frames[0]?.data ?? []);
      expect(mean).toBeLessThan(3);
    }
  });

  it('in grey give three equal channels', async () => {
    const values = grey(picture.data);
    const encoded = await toSharp({ ...picture, data: values }, 1)
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect((await sharp(encoded).metadata()).channels).toBe(1);
    expect(await pixelsOf(encoded)).toEqual(repeated(values));
  });

  it('in grey with alpha give the grey', async () => {
    const values = grey(picture.data);
    const withAlpha = Uint8Array.from({ length: values.length * 2 }, (_, index) =>
      index % 2 === 0 ? (values[index / 2] ?? 0) : index % 256,
    );
    const encoded = await toSharp({ ...picture, data: withAlpha }, 2)
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect((await sharp(encoded).metadata()).channels).toBe(2);
    expect(await pixelsOf(encoded)).toEqual(repeated(values));
  });

  it('with alpha give the colours beneath, transparent or not', async () => {
    const data = new Uint8Array(side * side * 4);
    for (let pixel = 0; pixel < side * side; ++pixel) {
      data.set(picture.data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
      data[pixel * 4 + 3] = pixel % 256;
    }
    const encoded = await toSharp({ ...picture, data }, 4)
      .png()
      .toBuffer();
    expect((await sharp(encoded).metadata()).hasAlpha).toBe(true);
    expect(await pixelsOf(encoded)).toEqual(picture.data);
  });

  it('of 16 bits a channel give the upper 8', async () => {
    const values = Uint16Array.from({ length: side * side * 3 }, (_, index) => index * 21);
    const encoded = await sharp(values, { raw: { width: side, height: side, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await sharp(encoded).metadata()).depth).toBe('ushort');
    expect(await pixelsOf(encoded)).toEqual(Uint8Array.from(values, (value) => value >> 8));
  });

  it('of 16 bits in grey give the upper 8', async () => {
    const values = Uint16Array.from({ length: side * side }, (_, index) => index * 63);
    const encoded = await sharp(values, { raw: { width: side, height: side, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect(await sharp(encoded).metadata()).toMatchObject({ depth: 'ushort', channels: 1 });
    expect(await pixelsOf(encoded)).toEqual(repeated(Uint8Array.from(values, (value) => value >> 8)));
  });

  it.each(['jpeg', 'tiff'] as const)('in CMYK give the colours they stand for: %s', async (format) => {
    const encoded = await toSharp(picture).toColourspace('cmyk').toFormat(format, { quality: 95 }).toBuffer();
    expect((await sharp(encoded).metadata()).space).toBe('cmyk');
    expect(differences(await pixelsOf(encoded), picture.data).mean).toBeLessThan(12);
    expect(await pixelsOf(encoded, applying)).toEqual(await pixelsOf(encoded));
  });
});

describe('EXIF orientation', () => {
  const [width, height] = [48, 32];
  const stored = gradient(width, height);

  // The position in the stored image of the pixel (x, y) of the upright image; W and H are those of the stored image.
  const places: Record<number, (x: number, y: number) => readonly [x: number, y: number]> = {
    1: (x, y) => [x, y],
    2: (x, y) => [width - 1 - x, y],
    3: (x, y) => [width - 1 - x, height - 1 - y],
    4: (x, y) => [x, height - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y) => [y, height - 1 - x],
    7: (x, y) => [width - 1 - y, height - 1 - x],
    8: (x, y) => [width - 1 - y, x],
  };

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i is set upright', async (orientation) => {
    const turned = orientation > 4;
    const [columns, rows] = turned ? [height, width] : [width, height];
    const expected = new Uint8Array(columns * rows * 3);
    for (let y = 0; y < rows; ++y) {
      for (let x = 0; x < columns; ++x) {
        const [storedX, storedY] = places[orientation]?.(x, y) ?? [0, 0];
        const from = (storedY * width + storedX) * 3;
        expected.set(stored.data.subarray(from, from + 3), (y * columns + x) * 3);
      }
    }
    const upright = await pixelsOf({ data: expected, width: columns, height: rows });
    const turning = toSharp(stored).withMetadata({ orientation });
    expect(await pixelsOf(await turning.png().toBuffer())).toEqual(upright);
    const jpeg = await pixelsOf(await turning.jpeg({ quality: 95 }).toBuffer());
    expect(differences(jpeg, upright).mean).toBeLessThan(3);
  });
});

describe('an embedded colour profile', () => {
  // The red of sRGB in Display P3.
  const [red, redInP3] = [plain(side, side, [255, 0, 0]), plain(side, side, [234, 51, 35])];
  const encoded = () => toSharp(red).withIccProfile('p3').png().toBuffer();

  it('is ignored by default: the stored numbers are used', async () => {
    expect(differences(await pixelsOf(await encoded()), redInP3.data).largest).toBeLessThanOrEqual(2);
  });

  it("is applied with colorProfile: 'apply'", async () => {
    expect(differences(await pixelsOf(await encoded(), applying), red.data).largest).toBeLessThanOrEqual(3);
  });

  it('can be chosen when loading too', async () => {
    using loaded = await GhostNet.load(undefined, { colorProfile: 'apply', inputSize: side, crop: 1 });
    expect(differences(await pixelsOf(await encoded(), loaded), red.data).largest).toBeLessThanOrEqual(3);
  });
});

describe('images that cannot be decoded', () => {
  const decode = (image: unknown) => errorOf(() => ignoring.preprocess([image as ImageInput]));

  it('a truncated JPEG', async () => {
    const bytes = await toSharp(gradient(200, 200)).jpeg().toBuffer();
    const error = await decode(bytes.subarray(0, bytes.length / 2));
    expect(error.code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('a truncated PNG', async () => {
    const bytes = await toSharp(gradient(200, 200)).png().toBuffer();
    expect((await decode(bytes.subarray(0, bytes.length / 2))).code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
  });

  it('a file that is not an image, by its name', async () => {
    const path = join(folder, 'notes.jpg');
    writeFileSync(path, 'no picture');
    const error = await decode(path);
    expect(error.code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
    expect(error.message).toContain('notes.jpg');
  });

  it('no bytes', async () => {
    expect((await decode(new Uint8Array(0))).code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
  });

  it('more pixels than can be held', async () => {
    const raw = Buffer.alloc(60_000_000 * 3);
    expect((await decode({ data: raw, width: 10_000, height: 6_000 })).code).toBe('GHOSTNET_IMAGE_TOO_LARGE');
  });

  it('a missing file, a folder, a URL of the network', async () => {
    expect((await decode(join(folder, 'missing.jpg'))).code).toBe('GHOSTNET_FILE_NOT_FOUND');
    expect((await decode(folder)).code).toBe('GHOSTNET_FILE_UNREADABLE');
    expect((await decode(new URL('http://localhost/photo.jpg'))).code).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 7],
    ['a list', [[1, 2, 3]]],
    ['floats', new Float32Array(12)],
    ['a raw image without data', { width: 2, height: 2 }],
  ])('%s', async (_, image) => {
    expect((await decode(image)).code).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it.each<[string, unknown]>([
    ['too few bytes', { data: new Uint8Array(11), width: 2, height: 2 }],
    ['four channels', { data: new Uint8Array(16), width: 2, height: 2 }],
    ['no width', { data: new Uint8Array(0), width: 0, height: 2 }],
    ['half a pixel', { data: new Uint8Array(9), width: 1.5, height: 2 }],
    ['a negative side', { data: new Uint8Array(12), width: -2, height: -2 }],
    ['a list of numbers', { data: [1, 2, 3], width: 1, height: 1 }],
    ['a tensor with a batch', Tensor.empty('uint8', [1, 2, 2, 3])],
    ['a tensor with alpha', Tensor.empty('uint8', [2, 2, 4])],
    ['a tensor without pixels', Tensor.empty('uint8', [0, 2, 3])],
  ])('raw pixels of the wrong form: %s', async (_, image) => {
    expect((await decode(image)).code).toBe('GHOSTNET_BAD_SHAPE');
  });

  it('a tensor of floats', async () => {
    expect((await decode(Tensor.empty('float32', [2, 2, 3]))).code).toBe('GHOSTNET_BAD_DTYPE');
  });

  it('very elongated ones: an error with a code, or a result', async () => {
    using usual = await GhostNet.create({ stages: smallStages, numClasses: 1 });
    for (const { width, height } of [
      { width: 20_000, height: 1 },
      { width: 1, height: 20_000 },
      { width: 200, height: 1 },
    ]) {
      const long = plain(width, height, [1, 2, 3]);
      const encoded = await toSharp(long).png().toBuffer();
      for (const image of [long, encoded]) {
        const code = await codeOf(async () => {
          const { data } = await usual.preprocess([image]);
          expect(data.subarray(0, 3)).toEqual(Uint8Array.of(1, 2, 3));
        }).catch((error: unknown) => (error as Error).message);
        expect(['GHOSTNET_BAD_SHAPE', 'No error was thrown']).toContain(code);
        if (width === 200) expect(code).toBe('No error was thrown');
      }
    }
  });
});
