import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { GhostNet, inspectWeights, type LoadOptions } from 'ghostnet';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { writeSafetensors, type NamedArray } from '../../lib/checkpoint/index.js';
import { torchFile, torchZip } from '../fixtures/checkpoint/writers.js';
import { codeOf, errorOf } from '../support/errors.js';
import { arraysOf, bitsOf, smallStages } from '../support/models.js';

let root: string;
let arrays: [string, NamedArray][];
let saved: Buffer;
let expected: ReturnType<typeof bitsOf>;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'ghostnet-folder-'));
  using model = await GhostNet.create({
    stages: smallStages,
    numClasses: 3,
    seed: 1,
    inputSize: 96,
    labels: ['x', 'y', 'z'],
  });
  arrays = await arraysOf(model);
  expected = bitsOf(new Map(arrays));
  await model.save(join(root, 'saved'));
  saved = readFileSync(join(root, 'saved'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** A new folder for each test. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'model-'));
});
const write = (name: string, content: string | Uint8Array | object): string => {
  const path = join(folder, name);
  const isRaw = typeof content === 'string' || content instanceof Uint8Array;
  writeFileSync(path, isRaw ? content : JSON.stringify(content));
  return path;
};
const plain = (): Uint8Array => writeSafetensors(arrays);

async function infoOf(source: string | URL | Uint8Array, options?: LoadOptions) {
  using model = await GhostNet.load(source, options);
  expect(bitsOf(await model.stateDict())).toEqual(expected);
  return model.info;
}

/** As timm's save_for_hf writes it. */
const config = {
  architecture: 'ghostnet_050',
  num_classes: 3,
  num_features: 1280,
  global_pool: 'avg',
  label_names: ['tench', 'goldfish', 'shark'],
  label_descriptions: { tench: 'a fish', goldfish: 'a fish', shark: 'a fish' },
  pretrained_cfg: {
    tag: 'in1k',
    custom_load: false,
    input_size: [3, 160, 160],
    fixed_input_size: false,
    interpolation: 'bilinear',
    crop_pct: 0.95,
    crop_mode: 'center',
    mean: [0.5, 0.4, 0.3],
    std: [0.2, 0.3, 0.4],
    num_classes: 3,
    pool_size: [7, 7],
    first_conv: 'conv_stem',
    classifier: 'classifier',
  },
};
const described = {
  labels: ['tench', 'goldfish', 'shark'],
  inputSize: 160,
  interpolation: 'bilinear',
  crop: 0.95,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.3, 0.4],
};
const withTransform = (transform: object) => ({
  ...config,
  pretrained_cfg: { ...config.pretrained_cfg, ...transform },
});

describe('a folder of timm or Hugging Face', () => {
  it('is a source, by its path, its URL, and that of the weights in it', async () => {
    const weights = write('model.safetensors', plain());
    write('config.json', config);
    for (const source of [folder, `${folder}/`, pathToFileURL(folder), weights, pathToFileURL(weights)]) {
      expect(await infoOf(source)).toMatchObject(described);
    }
    expect((await inspectWeights(folder)).files).toEqual([weights, join(folder, 'config.json')]);
  });

  it('may hold pytorch_model.bin, and model.safetensors first', async () => {
    const file = write('pytorch_model.bin', torchFile('zip', arrays));
    write('config.json', config);
    expect(await infoOf(folder)).toMatchObject(described);
    expect((await inspectWeights(folder)).files[0]).toBe(file);
    write('model.safetensors', plain());
    expect((await inspectWeights(folder)).format).toBe('safetensors');
  });

  it('may have no config.json, or one that says little', async () => {
    write('model.safetensors', plain());
    const usual = {
      inputSize: 224,
      crop: 0.875,
      interpolation: 'bicubic',
      labels: ['class 0', 'class 1', 'class 2'],
    };
    expect(await infoOf(folder)).toMatchObject(usual);
    for (const little of [
      {},
      { architecture: 'ghostnet_100' },
      { architecture: 'ghostnet_100', pretrained_cfg: {}, label_names: null, num_classes: null },
      { model_type: 'bert', num_classes: 7, label_names: 5, mean: 'geometric' }, // of another program
    ]) {
      write('config.json', little);
      expect(await infoOf(folder)).toMatchObject(usual);
    }
  });

  it('may have the flat config.json of before 2023', async () => {
    write('model.safetensors', plain());
    const { pretrained_cfg: transform, ...rest } = config;
    write('config.json', { ...rest, ...transform });
    expect(await infoOf(folder)).toMatchObject(described);
  });

  it('is described by the metadata of the weights first, and by options before that', async () => {
    write('model.safetensors', saved);
    write('config.json', config);
    expect(await infoOf(folder)).toMatchObject({ inputSize: 96, labels: ['x', 'y', 'z'], crop: 0.875 });
    write('model.safetensors', plain());
    const options = { labels: ['a', 'b', 'c'], inputSize: 64, interpolation: 'bicubic' } as const;
    expect(await infoOf(folder, options)).toMatchObject({ ...described, ...options });
  });

  it('does not lend its config.json to files of other names, or to bytes', async () => {
    write('config.json', config);
    expect(await infoOf(write('other.safetensors', plain()))).toMatchObject({ inputSize: 224 });
    expect(await infoOf(plain())).toMatchObject({ inputSize: 224 });
  });

  it('of a network with another stem is refused for its stem, whatever else there is', async () => {
    const stem: NamedArray = { dtype: 'float32', shape: [16, 1, 3, 3], data: new Uint8Array(576) };
    const grey = arrays.map(([name, array]) => [name, name === 'conv_stem.weight' ? stem : array] as const);
    write('model.safetensors', writeSafetensors(grey));
    write('config.json', withTransform({ input_size: [1, 160, 160], mean: [0.5], std: [0.2] }));
    const error = await errorOf(() => GhostNet.load(folder));
    expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
    expect(error.message).toMatch(/takes 1 channel,.*repeat\(1, 3, 1, 1\) \/ 3/);
    expect((await inspectWeights(folder)).advice).toMatch(/takes 1 channel/);
  });

  it('without weights is an error that says what it may hold', async () => {
    const error = await errorOf(() => GhostNet.load(folder));
    expect(error.code).toBe('GHOSTNET_FILE_UNREADABLE');
    expect(error.message).toMatch(/no weights at.*model\.safetensors, .*pytorch_model\.bin/);
  });
});

describe('a config.json', () => {
  it('has labels by the numbers of their classes', async () => {
    write('model.safetensors', plain());
    write('config.json', { ...config, label_names: { 2: 'c', 0: 'a', 1: 'b' } });
    expect((await infoOf(folder)).labels).toEqual(['a', 'b', 'c']);
  });

  it.each<[string, string | object]>([
    ['that is no JSON', '{'],
    ['that is a list', '[]'],
    ['that is a number', '5'],
    ['with too many lists', `{"architecture": "a", "x": [${'[],'.repeat(100_000)}[]]}`],
    ['longer than any', `{"architecture": "${'a'.repeat(2 ** 22)}"}`],
    ['with a transform that is a list', { ...config, pretrained_cfg: [] }],
    ['with pictures of one channel', { ...config, pretrained_cfg: { input_size: [1, 96, 96] } }],
    ['with labels that leave out a class', { ...config, label_names: { 0: 'a', 1: 'b', 3: 'c' } }],
    ['with labels that are text', { ...config, label_names: 'abc' }],
    ['with labels that are numbers', { ...config, label_names: [1, 2, 3] }],
    ['with too few labels', { ...config, label_names: ['a', 'b'] }],
    ['with half a class', { ...config, num_classes: 2.5 }],
    ['with classes that are text', { ...config, num_classes: '3' }],
    ['with more classes than labels', { ...config, num_classes: 1000 }],
    ['with classes of another model', { ...config, num_classes: 1000, label_names: undefined }],
    ['with an input that is no square', withTransform({ input_size: [3, 224, 288] })],
    ['with an input of two numbers', withTransform({ input_size: [224, 224] })],
    ['with an input that is text', withTransform({ input_size: 'large' })],
    ['with a small input', withTransform({ input_size: [3, 8, 8] })],
    ['with an input of text', withTransform({ input_size: [3, '224', '224'] })],
    ['with a crop above 1', withTransform({ crop_pct: 1.5 })],
    ['with a crop that is text', withTransform({ crop_pct: '0.9' })],
    ['with a crop_mode that is a number', withTransform({ crop_mode: 5 })],
    ['with a mean of one channel', withTransform({ mean: [0.5] })],
    ['with a mean that is a number', withTransform({ mean: 0.5 })],
    ['with a deviation of 0', withTransform({ std: [0, 1, 1] })],
    ['with an interpolation that is a number', withTransform({ interpolation: 3 })],
  ])('%s is a malformed file', async (_, content) => {
    write('model.safetensors', plain());
    write('config.json', content);
    const error = await errorOf(() => GhostNet.load(folder));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toContain('config.json');
    expect(error.message.length).toBeLessThan(1000);
  });

  it.each([
    ['interpolation', 'lanczos', { interpolation: 'bicubic' }],
    ['interpolation', 'random', { interpolation: 'bilinear' }],
    ['crop_mode', 'squash', { crop: 1 }],
  ] as const)(
    'with the %s %s is refused by name, unless an option replaces it',
    async (field, value, option) => {
      write('model.safetensors', plain());
      write('config.json', withTransform({ [field]: value }));
      const error = await errorOf(() => GhostNet.load(folder));
      expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
      expect(error.message).toContain(`config.json: the ${field} "${value}"`);
      expect(error.message).toContain(`option ${Object.keys(option).join('')}`);
      expect(await infoOf(folder, option)).toMatchObject(option);
    },
  );

  it('that is a folder is an error', async () => {
    write('model.safetensors', plain());
    mkdirSync(join(folder, 'config.json'));
    expect(await codeOf(() => GhostNet.load(folder))).toBe('GHOSTNET_FILE_UNREADABLE');
  });
});

describe('a byte order mark', () => {
  it('may begin a config.json', async () => {
    write('model.safetensors', plain());
    write('config.json', `\uFEFF${JSON.stringify(config)}`);
    expect(await infoOf(folder)).toMatchObject(described);
  });

  it.each([
    ['model.safetensors.index.json', 'a.safetensors', plain],
    ['pytorch_model.bin.index.json', 'a.bin', () => torchFile('zip', arrays)],
  ])('may begin a %s', async (index, file, content) => {
    write(file, content());
    const map = Object.fromEntries(arrays.map(([name]) => [name, file]));
    write(index, `\uFEFF${JSON.stringify({ weight_map: map })}`);
    await infoOf(folder);
  });
});

describe('sharded files of torch.save', () => {
  const shards = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'] as const;
  function writeShards(): string {
    const half = Math.floor(arrays.length / 2);
    const named = arrays.map(([name, array]) => [`model.${name}`, array] as const);
    write(shards[0], torchFile('zip', named.slice(0, half)));
    write(shards[1], torchFile('legacy', named.slice(half)));
    const map = Object.fromEntries(named.map(([name], index) => [name, shards[index < half ? 0 : 1]]));
    return write('pytorch_model.bin.index.json', { metadata: { total_size: 1 }, weight_map: map });
  }

  it('are one model, by the folder and by the index', async () => {
    const index = writeShards();
    write('config.json', config);
    expect(await infoOf(folder)).toMatchObject(described);
    expect(await infoOf(index)).toMatchObject(described);
    const report = await inspectWeights(folder);
    expect(report.files.map((file) => basename(file))).toEqual([basename(index), ...shards, 'config.json']);
    expect(report).toMatchObject({ format: 'torch-zip', prefix: 'model.', missing: [], unexpected: [] });
  });

  it('are each a state dict', async () => {
    const path = writeShards();
    write(shards[1], torchZip([1, 2], []));
    const error = await errorOf(() => GhostNet.load(path));
    expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
    expect(error.message).toContain(shards[1]);
    rmSync(join(folder, shards[1]));
    expect(await codeOf(() => GhostNet.load(path))).toBe('GHOSTNET_FILE_NOT_FOUND');
  });

  it('have names that end as that of their index', async () => {
    write('a.safetensors', plain());
    const map = Object.fromEntries(arrays.map(([name]) => [name, 'a.safetensors']));
    const path = write('pytorch_model.bin.index.json', { weight_map: map });
    const error = await errorOf(() => GhostNet.load(path));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toContain('a name that ends in .bin');
  });
});

describe('sharded safetensors', () => {
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
  /** Writes two files, and the index of them. */
  function writeShards(change: (map: Record<string, string>) => unknown = (map) => map): string {
    const half = Math.floor(arrays.length / 2);
    write(shards[0], writeSafetensors(arrays.slice(0, half), { format: 'pt' }));
    write(shards[1], writeSafetensors(arrays.slice(half), { format: 'pt' }));
    const map = Object.fromEntries(arrays.map(([name], index) => [name, shards[index < half ? 0 : 1]]));
    return write('model.safetensors.index.json', { metadata: { total_size: 1 }, weight_map: change(map) });
  }

  it('are one model, by the folder and by the index', async () => {
    const index = writeShards();
    write('config.json', config);
    expect(await infoOf(folder)).toMatchObject(described);
    expect(await infoOf(index)).toMatchObject(described);
    const report = await inspectWeights(folder);
    expect(report.files.map((file) => basename(file))).toEqual([
      'model.safetensors.index.json',
      ...shards,
      'config.json',
    ]);
    expect(report).toMatchObject({ format: 'safetensors', missing: [], unexpected: [] });
  });

  it('may have a prefix', async () => {
    const prefixed = arrays.map(([name, array]) => [`backbone.${name}`, array] as const);
    write('a.safetensors', writeSafetensors(prefixed));
    const map = Object.fromEntries(prefixed.map(([name]) => [name, 'a.safetensors']));
    const path = write('model.safetensors.index.json', { weight_map: map });
    await infoOf(path);
    expect(await codeOf(() => GhostNet.load(path, { weights: 'ema' }))).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(await codeOf(() => GhostNet.load(path, { prefix: 'a.' }))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  const replaced = (file: unknown) => (map: Record<string, string>) => ({ ...map, 'bn1.bias': file });
  it.each<[string, (map: Record<string, string>) => unknown]>([
    ['with no map', () => undefined],
    ['with a list as map', () => []],
    ['that leads above', replaced('../saved.safetensors')],
    ['that leads above from below', replaced('a/../../saved.safetensors')],
    ['that leads to the root', replaced('/saved.safetensors')],
    ['of Windows', replaced('..\\saved.safetensors')],
    ['to a drive', replaced('c:saved.safetensors')],
    ['with a file that is a number', replaced(5)],
    ['to a pickle', replaced('pytorch_model.bin')],
    ['to another shard than that of the array', (map) => ({ ...map, [arrays[0]?.[0] ?? '']: shards[1] })],
    ['with an array that is in no shard', (map) => ({ ...map, extra: shards[0] })],
    ['that leaves an array out', (map) => ({ ...map, 'bn1.bias': undefined })],
  ])('%s are malformed', async (_, change) => {
    const path = writeShards(change);
    const error = await errorOf(() => GhostNet.load(folder));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toContain(path);
  });

  it('of which one is absent, or no safetensors file, are an error', async () => {
    writeShards();
    write(shards[1], torchFile('zip', arrays));
    expect(await codeOf(() => GhostNet.load(folder))).toBe('GHOSTNET_MALFORMED_FILE');
    rmSync(join(folder, shards[1]));
    const error = await errorOf(() => GhostNet.load(folder));
    expect(error.code).toBe('GHOSTNET_FILE_NOT_FOUND');
    expect(error.message).toContain(shards[1]);
  });

  it('are limited in size together', async () => {
    writeShards();
    const [first, second] = shards.map((shard) => readFileSync(join(folder, shard)).byteLength);
    const most = (first ?? 0) + (second ?? 0);
    await infoOf(folder, { maxFileBytes: most });
    expect(await codeOf(() => GhostNet.load(folder, { maxFileBytes: most - 1 }))).toBe(
      'GHOSTNET_FILE_TOO_LARGE',
    );
  });

  it('may be links within the folder or the cache of Hugging Face, and to nowhere else', async () => {
    const index = writeShards();
    const move = (to: string) => {
      writeFileSync(to, readFileSync(join(folder, shards[1])));
      rmSync(join(folder, shards[1]));
      symlinkSync(to, join(folder, shards[1]));
    };
    move(join(folder, 'blob'));
    await infoOf(folder);
    move(join(root, 'outside'));
    const error = await errorOf(() => GhostNet.load(folder));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toContain('is a link to another place');
    // Two names of one file would be read twice.
    rmSync(join(folder, shards[1]));
    symlinkSync(join(folder, shards[0]), join(folder, shards[1]));
    expect((await errorOf(() => GhostNet.load(index))).message).toContain('is a link to another place');
  });

  it('are as many arrays as a network can have, at most', async () => {
    const names = Array.from({ length: 10_001 }, (_, index) => [`x${index}`, shards[0]]);
    const path = writeShards((map) => ({ ...map, ...Object.fromEntries(names) }));
    const error = await errorOf(() => GhostNet.load(path));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toContain('too many arrays');
  });

  it('are read from the cache of Hugging Face, where all files are links', async () => {
    const index = writeShards();
    const hub = join(folder, 'models--timm--ghostnet_100');
    const snapshot = join(hub, 'snapshots', '0123abcd');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(hub, 'blobs'));
    for (const [number, name] of [...shards, basename(index)].entries()) {
      writeFileSync(join(hub, 'blobs', `${number}`), readFileSync(join(folder, name)));
      symlinkSync(join('..', '..', 'blobs', `${number}`), join(snapshot, name));
    }
    await infoOf(snapshot);
  });
});
