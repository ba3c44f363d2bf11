import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { embeddedModel, GhostNet, inspectWeights, Tensor, type CreateOptions } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readSafetensors, writeSafetensors } from '../../lib/checkpoint/index.js';
import { codeOf, errorOf } from '../support/errors.js';
import { bitsOf, hexOf, smallStages } from '../support/models.js';
import { noise } from '../support/numbers.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-save-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const input = () => Tensor.from(noise(2 * 3 * 40 * 56), [2, 3, 40, 56]);
const transform = {
  inputSize: 96,
  crop: 0.9,
  interpolation: 'bilinear',
  mean: [0.1, 0.2, 0.3],
  std: [0.4, 0.5, 0.6],
} as const;

describe('a model that is saved and loaded', () => {
  it.each<[string, CreateOptions]>([
    ['a variant', { variant: 'ghostnet_050', numClasses: 3, labels: ['a', 'b', 'ü "quoted"'], dropout: 0.5 }],
    ['a width', { width: 0.35, numClasses: 3, ...transform }],
    ['a width of no whole hundredths', { width: 0.123, numClasses: 1 }],
    ['a stage table', { stages: smallStages, width: 0.5, numClasses: 3, ...transform }],
    ['a stage table with kernels that leave no trace', { stages: [[[5, 16, 16, 0, 1]]], numClasses: 2 }],
  ])('is the same: %s', async (name, options) => {
    using model = await GhostNet.create({ ...options, seed: 5 });
    const path = join(folder, `${name}.safetensors`);
    await model.save(path);
    using loaded = await GhostNet.load(path);
    expect(loaded.info).toEqual(model.info);
    expect(bitsOf(await loaded.stateDict())).toEqual(bitsOf(await model.stateDict()));
    expect(hexOf((await loaded.forward(input())).data)).toBe(hexOf((await model.forward(input())).data));

    const again = join(folder, 'again.safetensors');
    await loaded.save(again);
    expect(readFileSync(again).equals(readFileSync(path))).toBe(true);
  });

  it('leaves nothing but the file, and replaces what was there', async () => {
    const place = mkdtempSync(join(folder, 'place-'));
    const url = pathToFileURL(join(place, 'model #1%.safetensors'));
    using model = await GhostNet.create({ stages: smallStages, numClasses: 2, seed: 1 });
    writeFileSync(url, 'something else');
    await model.save(url);
    expect(readdirSync(place)).toEqual(['model #1%.safetensors']);
    using loaded = await GhostNet.load(url);
    expect(loaded.info).toEqual(model.info);
  });

  it('gives equal bytes for equal models', async () => {
    const saved = async (name: string) => {
      using model = await GhostNet.create({ stages: smallStages, numClasses: 2, seed: 1 });
      await model.save(join(folder, name));
      return readFileSync(join(folder, name));
    };
    expect((await saved('first')).equals(await saved('second'))).toBe(true);
  });
});

describe.each(['float16', 'bfloat16'] as const)('a model that is saved in %s', (dtype) => {
  const create = () =>
    GhostNet.create({ stages: smallStages, numClasses: 2, seed: 1, labels: ['cat', 'dog'], ...transform });

  it('has half the size, its labels and its transform, and nearly the same logits', async () => {
    using model = await create();
    const [full, half] = [join(folder, 'full'), join(folder, dtype)];
    await model.save(full, { dtype: 'float32' });
    await model.save(half, { dtype });
    expect(readFileSync(half).length / readFileSync(full).length).toBeLessThan(0.6);
    using loaded = await GhostNet.load(half);
    expect(loaded.info).toEqual(model.info);
    const { dtypes } = await inspectWeights(half);
    expect(Object.keys(dtypes).sort()).toEqual([dtype, 'int64'].sort());
    const [expected, found] = [await model.forward(input()), await loaded.forward(input())];
    const largest = Math.max(...expected.data.map(Math.abs));
    const error = Math.max(
      ...expected.data.map((value, index) => Math.abs(value - (found.data[index] ?? NaN))),
    );
    expect(error).toBeGreaterThan(0);
    expect(error / largest).toBeLessThan(dtype === 'float16' ? 0.01 : 0.08);
  });

  it('gives equal bytes, also when it is saved again', async () => {
    using model = await create();
    const path = join(folder, `again-${dtype}`);
    await model.save(path, { dtype });
    const bytes = readFileSync(path);
    using loaded = await GhostNet.load(path);
    await loaded.save(path, { dtype });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('is not written if it does not fit, or the type is unknown', async () => {
    using model = await create();
    const path = join(folder, `none-${dtype}`);
    await model.save(path);
    const file = readSafetensors(readFileSync(path));
    const arrays = [...file.arrays].map(([name, array]) => {
      const data = Buffer.from(array.data);
      if (name === 'conv_head.bias') data.writeFloatLE(3.4e38);
      return [name, { ...array, data }] as const;
    });
    using large = await GhostNet.load(writeSafetensors(arrays, file.metadata));
    writeFileSync(path, 'before');
    const error = await errorOf(() => large.save(path, { dtype }));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(error.message).toContain('conv_head.bias');
    expect(await codeOf(() => model.save(path, { dtype: 'float8' as 'float16' }))).toBe(
      'GHOSTNET_INVALID_ARGUMENT',
    );
    expect(readFileSync(path, 'utf8')).toBe('before');
  });

  it('keeps NaN if it was loaded with it', async () => {
    using model = await create();
    const path = join(folder, `nan-${dtype}`);
    await model.save(path);
    const file = readSafetensors(readFileSync(path));
    const arrays = [...file.arrays].map(([name, array]) => {
      const data = Buffer.from(array.data);
      if (name === 'conv_head.bias') data.writeFloatLE(NaN);
      return [name, { ...array, data }] as const;
    });
    using diverged = await GhostNet.load(writeSafetensors(arrays, file.metadata), { allowNonFinite: true });
    await diverged.save(path, { dtype });
    expect((await inspectWeights(path)).notFinite).toEqual(['conv_head.bias']);
  });
});

describe('GhostNet.load', () => {
  it('takes a path, a URL and bytes, and the embedded model by default', async () => {
    const bytes = readFileSync(embeddedModel);
    const path = join(folder, 'copy');
    writeFileSync(path, bytes);
    using expected = await GhostNet.load();
    const logits = hexOf((await expected.forward(input())).data);
    for (const source of [path, pathToFileURL(path), bytes, new Uint8Array(bytes), embeddedModel]) {
      using model = await GhostNet.load(source);
      expect(model.info).toEqual(expected.info);
      expect(hexOf((await model.forward(input())).data)).toBe(logits);
    }
  });

  it('has copied the bytes when the call returns', async () => {
    using expected = await GhostNet.load();
    const bytes = new Uint8Array(readFileSync(embeddedModel));
    const loading = GhostNet.load(bytes);
    bytes.fill(0xff);
    using model = await loading;
    expect(bitsOf(await model.stateDict())).toEqual(bitsOf(await expected.stateDict()));
  });

  it('prefers the options to the metadata of the file, and the metadata to an undefined option', async () => {
    using model = await GhostNet.create({
      stages: smallStages,
      numClasses: 2,
      labels: ['x', 'y'],
      ...transform,
    });
    const path = join(folder, 'options');
    await model.save(path);
    using loaded = await GhostNet.load(path, {
      inputSize: 128,
      crop: 1,
      interpolation: 'bicubic',
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      labels: ['cat', 'dog'],
      threads: 1,
    });
    expect(loaded.info).toMatchObject({
      inputSize: 128,
      crop: 1,
      interpolation: 'bicubic',
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      labels: ['cat', 'dog'],
      threads: 1,
    });
    // As from a caller without a type checker.
    const undefinedOptions = { inputSize: undefined, labels: undefined } as unknown as { inputSize: number };
    using kept = await GhostNet.load(path, undefinedOptions);
    expect(kept.info).toMatchObject({ inputSize: 96, labels: ['x', 'y'] });
  });

  it('knows the embedded model', async () => {
    using model = await GhostNet.load();
    expect(model.info).toMatchObject({
      variant: 'ghostnet_050',
      numClasses: 10,
      parameters: 1_319_102,
      inputSize: 64,
      crop: 1,
      interpolation: 'bilinear',
      labels: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    });
  });
});
