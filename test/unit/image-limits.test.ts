import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { GhostNet, Tensor, type ImageInput, type PipelineOptions } from 'ghostnet';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { tookTooLong } from '../../lib/image/faults.js';
import { pixelsToDecode } from '../../lib/image/heif-work.js';
import { untilAborted, withinTime } from '../../lib/image/time-limit.js';
import { Turns } from '../../lib/image/turns.js';
import { avifGrid } from '../support/avif-grid.js';
import { runScriptForJson } from '../support/child.js';
import { codeOf, errorOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';
import { gradient, plain, toSharp } from '../support/pictures.js';
import { jpegOfScans } from '../support/scans.js';

let model: GhostNet;
beforeAll(async () => {
  model = await GhostNet.create({ stages: smallStages, numClasses: 2, inputSize: 32, seed: 1 });
});
afterAll(() => {
  model.dispose();
});

const decode = (image: ImageInput, options: PipelineOptions = {}, signal?: AbortSignal): Promise<unknown> =>
  model.pipeline(options).run(image, signal === undefined ? {} : { signal });

describe('maxImageBytes', () => {
  let folder: string;
  let path: string;
  let bytes: Buffer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ghostnet-limits-'));
    bytes = await toSharp(gradient(40, 25)).png().toBuffer();
    path = join(folder, 'a.png');
    writeFileSync(path, bytes);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const forms: [name: string, make: () => ImageInput, options?: PipelineOptions][] = [
    ['a file', () => path],
    ['a file for sharp', () => path, { decoder: 'sharp' }],
    ['bytes', () => bytes],
    ['an ArrayBuffer', () => new Uint8Array(bytes).buffer],
    ['a Blob', () => new Blob([new Uint8Array(bytes)])],
    ['a stream', () => Readable.from([bytes.subarray(0, 9), bytes.subarray(9)])],
    ['a web stream', () => new Blob([new Uint8Array(bytes)]).stream()],
  ];

  it.each(forms)('holds for %s', async (_, make, options) => {
    const most = bytes.byteLength;
    const error = await errorOf(() => decode(make(), { ...options, maxImageBytes: most - 1 }));
    expect(error.code).toBe('GHOSTNET_FILE_TOO_LARGE');
    expect(error.found).toBe(`${most} bytes`);
    expect(error.expected).toBe(`at most ${most - 1} bytes, the option maxImageBytes`);
    expect(await decode(make(), { ...options, maxImageBytes: most })).toHaveLength(2);
  });

  it
    .runIf(process.platform === 'linux')
    .each([
      '/proc/cpuinfo',
      '/proc/self/cmdline',
      '/proc/self/mem',
      '/sys/class/net/lo/address',
      '/dev/zero',
    ])('lets no one read %s: it is no file that holds an image or weights', async (made) => {
    const calls = [() => decode(made), () => decode(made, { decoder: 'sharp' }), () => GhostNet.load(made)];
    for (const call of calls) {
      const error = await errorOf(call);
      expect(error.code).toBe('GHOSTNET_FILE_UNREADABLE');
      expect(error.found).toBe(
        made === '/dev/zero' ? 'a device' : 'a file that the system makes when it is read, as in /proc',
      );
      expect(error.message).toContain(made);
    }
  });

  it('says that an empty file is one', async () => {
    const empty = join(folder, 'empty.png');
    writeFileSync(empty, '');
    const error = await errorOf(() => decode(empty));
    expect([error.code, error.found]).toEqual(['GHOSTNET_IMAGE_UNDECODABLE', '0 bytes']);
  });

  it('ends a stream that does not end', async () => {
    let read = 0;
    const endless = new Readable({
      read() {
        read += 65_536;
        this.push(Buffer.alloc(65_536));
      },
    });
    expect(await codeOf(() => decode(endless, { maxImageBytes: 1_000_000 }))).toBe('GHOSTNET_FILE_TOO_LARGE');
    expect(endless.destroyed).toBe(true);
    expect(read).toBeLessThan(1_500_000);
  });
});

describe('an image that is too elongated', () => {
  it('is rejected by its header', async () => {
    const file = await toSharp(plain(40_000, 1, [9, 99, 199]))
      .png()
      .toBuffer();
    // To decode the pixels would fail.
    file.fill(0xff, file.indexOf('IDAT') + 8, file.length - 16);
    using wide = await GhostNet.create({
      stages: smallStages,
      numClasses: 2,
      inputSize: 224,
      crop: 1,
      seed: 1,
    });
    const error = await errorOf(() => wide.classify(file));
    expect(error.code).toBe('GHOSTNET_BAD_SHAPE');
    expect(error.found).toBe('40000 x 1 pixels');
  });
});

describe('maxPixels', () => {
  const picture = gradient(40, 25);
  const encoded = (format: 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'jpeg') => () =>
    toSharp(picture).toFormat(format).toBuffer();
  const images: [name: string, make: () => Promise<ImageInput>, options?: PipelineOptions][] = [
    ['PNG', encoded('png')],
    ['WebP', encoded('webp')],
    ['GIF', encoded('gif')],
    ['TIFF', encoded('tiff')],
    ['AVIF', encoded('avif')],
    ['JPEG', encoded('jpeg')],
    ['JPEG, decoded by sharp', encoded('jpeg'), { decoder: 'sharp' }],
    ['CMYK', () => toSharp(picture).toColourspace('cmyk').jpeg().toBuffer()],
    ['SVG', () => Promise.resolve(Buffer.from('<svg width="40" height="25"></svg>')), { documents: true }],
    ['pixels', () => Promise.resolve(picture)],
    ['a tensor', () => Promise.resolve(Tensor.from(picture.data, [25, 40, 3]))],
  ];

  it.each(images)('holds for %s', async (_, make, options) => {
    const image = await make();
    const error = await errorOf(() => decode(image, { ...options, maxPixels: 999 }));
    expect(error.code).toBe('GHOSTNET_IMAGE_TOO_LARGE');
    expect(error.found).toBe('1000 pixels, 40 x 25');
    expect(error.expected).toContain('999');
    expect(error.remedy).toContain('maxPixels');
    expect(await decode(image, { ...options, maxPixels: 1000 })).toHaveLength(2);
  });

  it('rejects before memory is taken, whatever a header says', { timeout: 60_000 }, async () => {
    type Results = Record<string, { code: string; grewBy: number }>;
    const { 'AVIF that says less': less, ...more } = await runScriptForJson<Results>('image-peaks.mjs');
    expect(less?.code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
    for (const [name, { code }] of Object.entries(more)) {
      expect([name, code]).toEqual([name, 'GHOSTNET_IMAGE_TOO_LARGE']);
    }
    const growth = [less, ...Object.values(more)].map((result) => result?.grewBy ?? NaN);
    expect(Math.max(...growth)).toBeLessThan(64);
  });
});

describe('the scans of a JPEG', () => {
  it.each(['auto', 'sharp'] as const)('are at most 100, decoder: %s', async (decoder) => {
    expect(await decode(await jpegOfScans(100), { decoder })).toHaveLength(2);
    const error = await errorOf(async () => decode(await jpegOfScans(101), { decoder }));
    expect([error.code, error.found]).toEqual(['GHOSTNET_IMAGE_TOO_LARGE', 'more than 100 scans']);
    expect(error.remedy).toContain('baseline');
  });
});

describe('the tiles of an AVIF', () => {
  it('are at most twice maxPixels, however small the image says it is', async () => {
    expect(await decode(await avifGrid(64, 4, 256), { maxPixels: 65_536 })).toHaveLength(2);
    const error = await errorOf(async () => decode(await avifGrid(64, 16, 64), { maxPixels: 65_536 }));
    expect([error.code, error.found]).toEqual([
      'GHOSTNET_IMAGE_TOO_LARGE',
      `tiles of ${256 * 64 * 64} pixels in all`,
    ]);
    expect(error.remedy).toContain('maxPixels');
  });

  it('are no grids of themselves, and none without a size', async () => {
    for (const part of [2, 3]) {
      const error = await errorOf(async () => decode(await avifGrid(64, 2, 128, part)));
      expect(error.code).toMatch(/^GHOSTNET_IMAGE_/);
      expect(pixelsToDecode(await avifGrid(64, 2, 128, part))).toBe(Infinity);
    }
  });

  it('are counted in whole files, and only in those', async () => {
    const file = await avifGrid(64, 2, 128);
    expect(pixelsToDecode(file)).toBe(4 * 64 * 64);
    expect(pixelsToDecode(file.subarray(0, file.length - 4))).toBe(4 * 64 * 64);
    // Each byte of the boxes damaged in turn: a number, or the error of a box that ends in the wrong place.
    for (let at = 0; at < file.indexOf('mdat'); at += 1) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const damaged = Buffer.from(file);
        damaged[at] = value;
        try {
          expect(pixelsToDecode(damaged)).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }
  });
});

describe('decodeTimeoutMs', () => {
  const large = { create: { width: 4000, height: 4000, channels: 3, background: '#123' } } as const;

  it.each<[string, PipelineOptions['decoder'], () => Promise<Buffer>]>([
    ['the decoder of the package', 'auto', () => sharp(large).jpeg({ progressive: true }).toBuffer()],
    ['sharp', 'auto', () => sharp(large).png({ compressionLevel: 1 }).toBuffer()],
    ['sharp, for a JPEG', 'sharp', () => sharp(large).jpeg().toBuffer()],
  ])('ends the decoding by %s', async (_, decoder = 'auto', make) => {
    const bytes = await make();
    const error = await errorOf(() => decode(bytes, { decoder, decodeTimeoutMs: 1 }));
    expect([error.code, error.found]).toEqual([
      'GHOSTNET_TIMEOUT',
      'more than 1 ms, the option decodeTimeoutMs',
    ]);
    expect(await decode(bytes, { decoder })).toHaveLength(2);
  });

  it('is checked', async () => {
    for (const decodeTimeoutMs of [0, -1, NaN, 2 ** 31, '5' as never]) {
      expect(await codeOf(() => model.pipeline({ decodeTimeoutMs }))).toBe('GHOSTNET_INVALID_ARGUMENT');
    }
  });
});

describe('while sharp decodes', () => {
  let slow: Buffer;
  let whole: number;
  beforeAll(async () => {
    const create = { width: 4000, height: 4000, channels: 3, background: '#123' } as const;
    slow = await sharp({ create }).avif({ effort: 0 }).toBuffer();
    const start = performance.now();
    await decode(slow);
    whole = performance.now() - start;
  });

  it('an abort settles at once, leaves nothing to wait for, and what comes next is decoded', async () => {
    const pipeline = model.pipeline();
    const abort = new AbortController();
    const results = Array.from({ length: 6 }, () =>
      codeOf(() => pipeline.run(slow, { signal: abort.signal })),
    );
    await new Promise((resolve) => setTimeout(resolve, whole / 4));
    const start = performance.now();
    abort.abort();
    expect(new Set(await Promise.all(results))).toEqual(new Set(['GHOSTNET_ABORTED']));
    await pipeline.close();
    expect(performance.now() - start).toBeLessThan(whole / 2);
    expect(await decode(await toSharp(gradient(40, 40)).png().toBuffer())).toHaveLength(2);
  });

  it('the end of decodeTimeoutMs settles at once', async () => {
    const start = performance.now();
    expect(await codeOf(() => decode(slow, { decodeTimeoutMs: 5 }))).toBe('GHOSTNET_TIMEOUT');
    expect(performance.now() - start).toBeLessThan(whole / 2);
  });
});

// How the above is done: sharp cannot be stopped, so its turn ends when it does.
describe('work that cannot be stopped', () => {
  it('has a bounded number of turns, in order; an abort takes out what waits', async () => {
    const turns = new Turns(2);
    const ends = [await turns.next(), await turns.next()];
    const order: string[] = [];
    const abort = new AbortController();
    const first = turns.next().then((end) => (order.push('first'), end));
    const second = codeOf(() => turns.next(abort.signal));
    const third = turns.next().then((end) => (order.push('third'), end));
    abort.abort();
    expect(await second).toBe('GHOSTNET_ABORTED');
    expect(order).toEqual([]);
    ends[0]?.();
    (await first)();
    await third;
    expect(order).toEqual(['first', 'third']);
    expect(await codeOf(() => turns.next(AbortSignal.abort()))).toBe('GHOSTNET_ABORTED');
  });

  it('goes on unseen, and its failure is nobody’s', async () => {
    const abort = new AbortController();
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<void>((_, reject) => (fail = reject));
    const result = codeOf(() => untilAborted(work, abort.signal));
    abort.abort();
    expect(await result).toBe('GHOSTNET_ABORTED');
    fail(new Error('too late'));
    expect(await untilAborted(Promise.resolve(7), new AbortController().signal)).toBe(7);
  });

  it('is late when its time is over, not when its caller aborts', async () => {
    const never = (signal: AbortSignal): Promise<void> => untilAborted(new Promise(() => undefined), signal);
    const limit = { milliseconds: 5, error: () => tookTooLong('a', 5) };
    expect(await codeOf(() => withinTime(limit, undefined, never))).toBe('GHOSTNET_TIMEOUT');
    expect(await codeOf(() => withinTime(limit, AbortSignal.abort(), never))).toBe('GHOSTNET_ABORTED');
  });
});
