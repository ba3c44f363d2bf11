import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { embeddedModel, GhostNet, inspectWeights, Tensor } from 'ghostnet';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { countNotFinite } from '../../lib/checkpoint/finite.js';
import {
  readSafetensors,
  writeSafetensors,
  type ArrayDType,
  type NamedArray,
} from '../../lib/checkpoint/index.js';
import { finish } from '../../lib/checkpoint/slices.js';
import { codeOf, errorOf } from '../support/errors.js';
import { gradient } from '../support/pictures.js';

const image = gradient(64, 64);

/** The embedded model, with some of its numbers replaced. */
function changed(changes: Readonly<Record<string, number[]>>, metadata: object = {}): Uint8Array {
  const file = readSafetensors(readFileSync(embeddedModel));
  const arrays = [...file.arrays].map(([name, array]): [string, NamedArray] => {
    const data = Buffer.from(array.data);
    for (const [index, value] of (changes[name] ?? []).entries()) data.writeFloatLE(value, 4 * index);
    return [name, { ...array, data }];
  });
  const own = JSON.parse(file.metadata.ghostnet ?? '') as object;
  return writeSafetensors(arrays, { ghostnet: JSON.stringify({ ...own, ...metadata }) });
}

describe('weights that are not finite', () => {
  it.each<[string, Record<string, number[]>, string]>([
    ['one NaN', { 'classifier.bias': [NaN] }, '1 of 1330086 numbers: classifier.bias (1)'],
    ['an infinity', { 'conv_stem.weight': [-Infinity] }, 'conv_stem.weight (1)'],
    [
      'many',
      { 'classifier.bias': [NaN, 0, Infinity], 'bn1.weight': [NaN], 'bn1.bias': [NaN] },
      '4 of 1330086 numbers',
    ],
  ])('are refused: %s', async (_, changes, found) => {
    const error = await errorOf(() => GhostNet.load(changed(changes)));
    expect(error.code).toBe('GHOSTNET_WEIGHTS_NOT_FINITE');
    expect(error.found).toContain(found);
    for (const name of Object.keys(changes)) expect(error.message).toContain(name);
  });

  it('are counted once if arrays share them, and named five at most', async () => {
    const names = [
      'bn1.weight',
      'bn1.bias',
      'bn1.running_mean',
      'bn1.running_var',
      'classifier.bias',
      'conv_head.bias',
    ];
    const error = await errorOf(() =>
      GhostNet.load(changed(Object.fromEntries(names.map((name) => [name, [NaN]])))),
    );
    expect(error.found).toMatch(/^6 of .*, and 1 more arrays$/);
  });

  it('are loaded if asked, and an image without a score is an error', async () => {
    using model = await GhostNet.load(changed({ 'classifier.bias': [NaN] }), { allowNonFinite: true });
    expect(await codeOf(() => model.classify(image))).toBe('GHOSTNET_RESULT_NOT_FINITE');
    // The embedding comes before the classifier.
    using embedding = await model.embed(image);
    expect(embedding.data.every(Number.isFinite)).toBe(true);
    using input = Tensor.empty('uint8', [1, 64, 64, 3]);
    using logits = await model.forward(input);
    expect(logits.data[0]).toBeNaN();
    expect(logits.data.subarray(1).every(Number.isFinite)).toBe(true);
    const pipeline = model.pipeline();
    const codes: unknown[] = [];
    for await (const { error } of pipeline.stream([image, image])) codes.push(error?.code);
    expect(codes).toEqual(['GHOSTNET_RESULT_NOT_FINITE', 'GHOSTNET_RESULT_NOT_FINITE']);
    expect(pipeline.stats().failed).toBe(2);
  });

  it('make an embedding that is an error, too', async () => {
    using model = await GhostNet.load(changed({ 'conv_stem.weight': [NaN] }), { allowNonFinite: true });
    expect(await codeOf(() => model.embed(image))).toBe('GHOSTNET_RESULT_NOT_FINITE');
  });

  it('may be finite and still overflow, which is told as well', async () => {
    using model = await GhostNet.load(
      changed({ 'conv_head.bias': [3e38, 3e38, 3e38], 'classifier.weight': Array<number>(8).fill(3e38) }),
    );
    expect(await codeOf(() => model.classify(image))).toBe('GHOSTNET_RESULT_NOT_FINITE');
  });

  it('are looked for while the network is made: a load takes no longer for it', async () => {
    using model = await GhostNet.create({ variant: 'ghostnet_100', seed: 1 });
    const state = [...(await model.stateDict())].map(
      ([name, { dtype, shape, data }]): [string, NamedArray] => {
        return [name, { dtype, shape, data: new Uint8Array(data.buffer) }];
      },
    );
    const file = Buffer.from(writeSafetensors(state));
    const least = { looked: Infinity, trusted: Infinity };
    const ratio = (): number => least.looked / least.trusted;
    // What other processes hold up is measured more often.
    for (let round = 0; round < 5 || (round < 30 && ratio() >= 1.4); round += 1) {
      for (const kind of ['looked', 'trusted'] as const) {
        // Networks with equal weights would share them.
        file.writeFloatLE(Math.random(), file.length - 4);
        const start = performance.now();
        const loaded = await GhostNet.load(file, { allowNonFinite: kind === 'trusted' });
        least[kind] = Math.min(least[kind], performance.now() - start);
        loaded.dispose();
      }
    }
    expect(ratio()).toBeLessThan(1.4);
  });

  it('are what a flag allows, and no number', async () => {
    expect(await codeOf(() => GhostNet.load({ allowNonFinite: 1 } as object))).toBe(
      'GHOSTNET_INVALID_ARGUMENT',
    );
  });

  it('are listed by inspectWeights', async () => {
    const { notFinite } = await inspectWeights(changed({ 'classifier.bias': [NaN], 'bn1.bias': [Infinity] }));
    expect(new Set(notFinite)).toEqual(new Set(['classifier.bias', 'bn1.bias']));
  });
});

describe('a transform in metadata', () => {
  it.each([
    ['too small a deviation', { std: [1e-38, 1, 1] }],
    ['too large a mean', { mean: [1e38, 0, 0] }],
    ['a crop above 1', { crop: 2 }],
    ['an input of no pixels', { inputSize: 0 }],
    ['two means', { mean: [0, 0] }],
    ['an unknown interpolation', { interpolation: 'nearest' }],
    ['too few labels', { labels: ['a'] }],
    ['a dropout of 1', { dropout: 1 }],
    ['fewer classes than none', { numClasses: -1 }],
    ['a kernel of 2', { stages: [[[2, 16, 16, 0, 1]]] }],
    ['a row of four', { stages: [[[3, 16, 16, 0]]] }],
    ['a width of 1e300', { width: 1e300 }],
    ['201 rows', { stages: [Array(201).fill([3, 16, 16, 0, 1])] }],
  ])('with %s is a malformed file', async (_, metadata) => {
    const error = await errorOf(() => GhostNet.load(changed({}, metadata)));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toMatch(/^(?:The metadata "ghostnet" of )?\d+ bytes/);
  });

  it('is the fault of the caller if it is an option', async () => {
    const file = changed({}, { labels: ['a'] });
    for (const options of [{ std: [1e-38, 1, 1] as const }, { labels: ['a'] }, { crop: 2 }]) {
      expect(await codeOf(() => GhostNet.load(file, { ...options, labels: ['a'] }))).toBe(
        'GHOSTNET_INVALID_ARGUMENT',
      );
    }
    using model = await GhostNet.load(file, { labels: Array.from('abcdefghij') });
    expect(model.info.labels).toHaveLength(10);
  });
});

describe('countNotFinite', () => {
  const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const arrayOf = (dtype: ArrayDType, data: ArrayBufferView): NamedArray => ({
    dtype,
    shape: [],
    data: bytesOf(data),
  });

  it.each<[ArrayDType, ArrayBufferView, number]>([
    ['float32', Float32Array.of(NaN, 1, -Infinity, 3.4e38, 0), 2],
    ['float64', Float64Array.of(NaN, 1, Infinity, 3.4028235677973362e38, 3.4028235677973366e38, -1e300), 4],
    ['float16', Uint16Array.of(0x7c00, 0xfc01, 0x7bff, 0), 2],
    ['bfloat16', Uint16Array.of(0x7f80, 0xffff, 0x7f7f, 0x0080), 2],
    ['int32', Int32Array.of(0x7f800000), 0],
  ])('counts in %s', (dtype, data, count) => {
    const counts = finish(countNotFinite(new Map([['a', arrayOf(dtype, data)]])));
    expect(counts.get('a') ?? 0).toBe(count);
  });

  it('counts in arrays at any alignment, of any length, that share bytes in any way', () => {
    const floats = new Float32Array(700_000);
    for (let index = 0; index < floats.length; index += 1000) floats[index] = NaN;
    for (const shift of [0, 1, 2, 3]) {
      const memory = new Uint8Array(floats.byteLength + shift);
      memory.set(bytesOf(floats), shift);
      const views = [
        [0, 700_000],
        [1, 700_000],
        [500, 1500],
        [1000, 1001],
        [300_000, 650_000],
        [300_000, 650_000],
        [5, 5],
      ];
      const arrays = new Map(
        views.map(([from = 0, to = 0], index) => [
          String(index),
          arrayOf('float32', memory.subarray(shift + 4 * from, shift + 4 * to)),
        ]),
      );
      const counts = finish(countNotFinite(arrays));
      expect(views.map((_, index) => counts.get(String(index)) ?? 0)).toEqual([700, 699, 1, 1, 350, 350, 0]);
    }
  });
});

describe('the command line', () => {
  let folder: string;
  let weights: string;
  let photo: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ghostnet-finite-'));
    weights = join(folder, 'nan.safetensors');
    photo = join(folder, 'photo.png');
    writeFileSync(weights, changed({ 'classifier.bias': [NaN] }));
    const { data, width, height } = image;
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(photo);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const cli = (...args: string[]) => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder });
  };

  it('refuses weights that are NaN, and never prints a score that is null', () => {
    const refused = cli('classify', '-m', weights, photo);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('GHOSTNET_WEIGHTS_NOT_FINITE');
    const allowed = cli('classify', '-m', weights, '--allow-non-finite', photo);
    expect(allowed.status).toBe(1);
    expect(allowed.stdout).toContain('GHOSTNET_RESULT_NOT_FINITE');
    expect(allowed.stdout).not.toContain('null');
  });

  it('describes them, and says that they are not usable', () => {
    const described = cli('info', weights);
    expect(described.status).toBe(3);
    expect(JSON.parse(described.stdout)).toMatchObject({
      variant: 'ghostnet_050',
      file: { notFinite: ['classifier.bias'] },
    });
    expect(cli('info', '--allow-non-finite', weights).status).toBe(0);
  });

  it('converts them if asked', () => {
    expect(cli('convert', weights, 'out').status).toBe(3);
    expect(cli('convert', '--allow-non-finite', weights, 'out').status).toBe(0);
    expect(cli('convert', '--max-file-bytes', '1000', weights, 'out').stderr).toContain(
      'GHOSTNET_FILE_TOO_LARGE',
    );
  });

  it('ends with 3 for a malformed description, and with 2 for a wrong option', () => {
    writeFileSync(join(folder, 'crop'), changed({}, { crop: 2 }));
    expect(cli('info', 'crop').status).toBe(3);
    expect(cli('convert', 'crop', 'out').status).toBe(3);
    expect(cli('convert', '--crop', '2', weights, 'out').status).toBe(2);
  });
});
