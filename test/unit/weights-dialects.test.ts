import { GhostNet, inspectWeights, Tensor, type LoadOptions, type WeightsReport } from 'ghostnet';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { itemSizes } from '../../lib/checkpoint/array.js';
import { writeSafetensors, type NamedArray } from '../../lib/checkpoint/index.js';
import { dict, tuple, type Py } from '../fixtures/checkpoint/pickle-writer.js';
import {
  stateDictOf,
  storageRef,
  tensorRef,
  torchFile,
  torchLegacy,
  torchZip,
  type StorageSpec,
} from '../fixtures/checkpoint/writers.js';
import { errorOf } from '../support/errors.js';
import { arraysOf, hexOf, smallStages } from '../support/models.js';
import { noise } from '../support/numbers.js';

type Arrays = readonly (readonly [string, NamedArray])[];

let plain: Arrays;
let other: Arrays;
let expected: string;
let otherLogits: string;
beforeAll(async () => {
  using model = await GhostNet.create({ stages: smallStages, numClasses: 3, seed: 1 });
  plain = await arraysOf(model);
  expected = await logitsOf(model);
  using second = await GhostNet.create({ stages: smallStages, numClasses: 3, seed: 2 });
  other = await arraysOf(second);
  otherLogits = await logitsOf(second);
});

async function logitsOf(model: GhostNet): Promise<string> {
  using logits = await model.forward(Tensor.from(noise(2 * 3 * 40 * 56), [2, 3, 40, 56]));
  return hexOf(logits.data);
}

async function loaded(file: Uint8Array, options?: LoadOptions): Promise<string> {
  using model = await GhostNet.load(file, options);
  return await logitsOf(model);
}

const readers = [
  (file: Uint8Array, options?: LoadOptions) => GhostNet.load(file, options),
  (file: Uint8Array, options?: LoadOptions) => inspectWeights(file, options),
];

const zeros = (...shape: number[]): NamedArray => ({
  dtype: 'float32',
  shape,
  data: new Uint8Array(shape.reduce((product, size) => product * size, 4)),
});
const prefixed = (prefix: string, arrays: Arrays): Arrays =>
  arrays.map(([name, array]) => [prefix + name, array]);
const without = (...names: string[]): Arrays => plain.filter(([name]) => !names.includes(name));
const renamed = (from: string, to: string): Arrays =>
  plain.map(([name, array]) => [name.replace(from, to), array]);

/** Each container that has keys: what holds for the keys of one holds for those of the others. */
const containers: readonly (readonly [string, (arrays: Arrays) => Uint8Array])[] = [
  ['safetensors', (arrays) => writeSafetensors(arrays)],
  ['torch.save', (arrays) => torchFile('zip', arrays)],
];

/** A file of torch.save with state dicts under keys. */
function wrapped(parts: Readonly<Record<string, Arrays | Py>>): Uint8Array {
  const storages: StorageSpec[] = [];
  const pairs = Object.entries(parts).map(([key, part]): [Py, Py] => {
    if (!Array.isArray(part)) return [key, part as Py];
    const start = storages.length;
    const arrays = (part as Arrays).map(([name, array]) => [name, array] as const);
    const { object, storages: own } = stateDictOf(arrays, 'zip', start);
    storages.push(...own);
    return [key, object];
  });
  return torchZip(dict(pairs), storages);
}

describe.each(containers)('weights under a prefix, in %s', (_, write) => {
  it.each([
    '_orig_mod.',
    'module.',
    'model.',
    'net.',
    'backbone.',
    'encoder.',
    'module._orig_mod.',
    '_orig_mod.module.',
    'model.encoder.',
    'student.', // any other prefix, if it is the only one
    'model.blocks.0.0.',
  ])('%s are the same network', async (prefix) => {
    const file = write(prefixed(prefix, plain));
    expect(await loaded(file)).toBe(expected);
    expect(await inspectWeights(file)).toMatchObject({ prefix, skipped: [], reason: undefined });
  });

  it('are taken without the keys beside them, which are listed', async () => {
    const beside: Arrays = [
      ['n_averaged', zeros(1)],
      ['criterion.weight', zeros(3)],
      ['module.total_ops', zeros(1)],
    ];
    const file = write([...beside, ...prefixed('module.', plain)]);
    expect(await loaded(file)).toBe(expected);
    const { skipped, prefix } = await inspectWeights(file);
    expect([...skipped].sort()).toEqual(['criterion.weight', 'module.total_ops', 'n_averaged']);
    expect(prefix).toBe('module.');
  });

  it('have no unknown key within it', async () => {
    const file = write(prefixed('module.', [...plain, ['criterion.weight', zeros(3)]]));
    const error = await errorOf(() => GhostNet.load(file));
    expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
    expect(error.message).toContain('1 unexpected: criterion.weight');
    expect((await inspectWeights(file)).unexpected).toEqual(['criterion.weight']);
  });

  it('have no unknown key without a prefix', async () => {
    const error = await errorOf(() => GhostNet.load(write([...plain, ['n_averaged', zeros(1)]])));
    expect(error.message).toContain('1 unexpected: n_averaged');
  });

  it('are an error if there are two, until one is chosen', async () => {
    const file = write([...prefixed('student.', plain), ...prefixed('teacher.', other)]);
    for (const read of readers) {
      const error = await errorOf(() => read(file));
      expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
      expect(error.message).toMatch(/"student\.", "teacher\.".*prefix: "student\."/);
    }
    expect(await loaded(file, { prefix: 'student.' })).toBe(expected);
    expect(await loaded(file, { prefix: 'teacher' })).toBe(otherLogits);
    const report = await inspectWeights(file, { prefix: 'teacher.' });
    expect(report).toMatchObject({ prefix: 'teacher.', reason: undefined, unexpected: [] });
    expect(new Set(report.skipped)).toEqual(new Set(prefixed('student.', plain).map(([name]) => name)));
  });

  it('can be one within another', async () => {
    const file = write([...plain, ...prefixed('ema.', other)]);
    expect((await errorOf(() => GhostNet.load(file))).message).toContain(`Found '', "ema."`);
    expect(await loaded(file, { prefix: '' })).toBe(expected);
    expect(await loaded(file, { prefix: 'ema.' })).toBe(otherLogits);
  });

  it.each([
    ['that the file has not', 'teacher.', /a GhostNet under "student\."/],
    ['that is half a name', 'stud', /a GhostNet under "student\."/],
    ['that ends in the network', 'student.blocks.', /a GhostNet under "student\."/],
  ])('can be none %s', async (_what, prefix, says) => {
    const file = write(prefixed('student.', plain));
    for (const read of readers) {
      const error = await errorOf(() => read(file, { prefix }));
      expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
      expect(error.message).toMatch(says);
    }
    const error = await errorOf(() => GhostNet.load(file, { prefix: 5 as unknown as string }));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});

describe.each(containers)('a replaced classifier, in %s', (_, write) => {
  it.each(['classifier.1', 'classifier.4', 'classifier.fc', 'classifier.head.fc', 'fc', 'head', 'head.fc'])(
    'at %s is the classifier',
    async (name) => {
      const file = write(renamed('classifier', name));
      expect(await loaded(file)).toBe(expected);
      const report = await inspectWeights(file);
      expect(new Map(report.renamed)).toEqual(
        new Map([
          [`${name}.weight`, 'classifier.weight'],
          [`${name}.bias`, 'classifier.bias'],
        ]),
      );
      expect(report).toMatchObject({ filled: [], reason: undefined, numClasses: 3 });
    },
  );

  it.each(['classifier', 'classifier.1'])('at %s has a bias of zeros if it has none', async (name) => {
    const withZeros = plain.map(
      ([key, array]) => [key, key === 'classifier.bias' ? zeros(3) : array] as const,
    );
    const file = write(
      without('classifier.bias').map(([key, array]) => [key.replace('classifier', name), array]),
    );
    expect(await loaded(file)).toBe(await loaded(writeSafetensors(withZeros)));
    expect(await loaded(file)).not.toBe(expected);
    expect((await inspectWeights(file)).filled).toEqual(['classifier.bias']);
  });

  it.each<[string, Arrays, RegExp]>([
    [
      'with a hidden layer',
      [
        ['classifier.0.weight', zeros(16, 1280)],
        ['classifier.0.bias', zeros(16)],
        ['classifier.2.weight', zeros(3, 16)],
        ['classifier.2.bias', zeros(3)],
      ],
      /classifier\.0\.weight \[16,1280\].*classifier\.2\.weight \[3,16\].*embed\(\)/,
    ],
    [
      'with a batch normalisation',
      [
        ['head.0.weight', zeros(1280)],
        ['head.0.bias', zeros(1280)],
        ['head.1.weight', zeros(3, 1280)],
        ['head.1.bias', zeros(3)],
      ],
      /head\.0\.weight \[1280\].*embed\(\)/,
    ],
    ['of another width', [['fc.weight', zeros(3, 640)]], /fc\.weight \[3,640\]/],
    [
      'with a bias of another length',
      [
        ['fc.weight', zeros(3, 1280)],
        ['fc.bias', zeros(4)],
      ],
      /fc\.bias \[4\], fc\.weight \[3,1280\]|fc\.weight \[3,1280\], fc\.bias \[4\]/,
    ],
    [
      'with two heads',
      [
        ['fc.weight', zeros(3, 1280)],
        ['head.weight', zeros(3, 1280)],
      ],
      /fc\.weight \[3,1280\], head\.weight \[3,1280\]/,
    ],
  ])('%s is refused by name', async (_what, head, says) => {
    const file = write([...without('classifier.weight', 'classifier.bias'), ...head]);
    const error = await errorOf(() => GhostNet.load(file));
    expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
    expect(error.message).toMatch(says);
    expect(await inspectWeights(file)).toMatchObject({
      advice: expect.stringMatching(says) as unknown,
      renamed: [],
    });
  });

  it('beside the usual one is an unexpected key', async () => {
    const error = await errorOf(() => GhostNet.load(write([...plain, ['head.weight', zeros(3, 1280)]])));
    expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
    expect(error.message).toMatch(/1 unexpected: head\.weight/);
  });
});

describe.each(containers)('a classifier beside its network, in %s', (_, write) => {
  const parted = (backbone: string, head: string): Arrays =>
    plain.map(([name, array]) => [
      name.startsWith('classifier.') ? name.replace('classifier', head) : backbone + name,
      array,
    ]);

  it.each([
    ['backbone.', 'fc'],
    ['backbone.', 'head'],
    ['encoder.', 'classifier'],
    ['backbone.', 'classifier.1'],
    ['model.backbone.', 'model.head.fc'],
    ['module.model.encoder.', 'module.fc'],
  ])('under %s at %s is taken', async (prefix, head) => {
    const file = write([...parted(prefix, head), [`${head}.total_ops`, zeros(1)], ['n_averaged', zeros(1)]]);
    expect(await loaded(file)).toBe(expected);
    const report = await inspectWeights(file);
    expect(report).toMatchObject({ prefix, numClasses: 3, advice: undefined, unexpected: [] });
    expect(new Map(report.renamed)).toEqual(
      new Map([
        [`${head}.weight`, 'classifier.weight'],
        [`${head}.bias`, 'classifier.bias'],
      ]),
    );
    expect([...report.skipped].sort()).toEqual([`${head}.total_ops`, 'n_averaged'].sort());
  });

  it('may have no bias', async () => {
    const file = write(parted('backbone.', 'fc').filter(([name]) => name !== 'fc.bias'));
    expect(await inspectWeights(file)).toMatchObject({
      numClasses: 3,
      renamed: [['fc.weight', 'classifier.weight']],
      filled: ['classifier.bias'],
    });
  });

  it.each<[string, Arrays]>([
    [
      'with a hidden layer',
      [
        ['head.0.weight', zeros(16, 1280)],
        ['head.0.bias', zeros(16)],
        ['head.2.weight', zeros(3, 16)],
        ['head.2.bias', zeros(3)],
      ],
    ],
    ['of another width', [['fc.weight', zeros(3, 640)]]],
    [
      'of two layers',
      [
        ['fc.weight', zeros(3, 1280)],
        ['head.weight', zeros(3, 1280)],
      ],
    ],
    [
      'with a bias of another length',
      [
        ['fc.weight', zeros(3, 1280)],
        ['fc.bias', zeros(4)],
      ],
    ],
  ])('%s is not taken, as the report says', async (_what, head) => {
    const backbone = prefixed('backbone.', without('classifier.weight', 'classifier.bias'));
    const file = write([...backbone, ...head]);
    using model = await GhostNet.load(file);
    expect(model.info.numClasses).toBe(0);
    const report = await inspectWeights(file);
    expect(report).toMatchObject({ numClasses: 0, renamed: [], unexpected: [] });
    expect(report.advice).toMatch(/no classifier: beside it.*(?:head\.0\.weight|fc\.weight).*embed\(\)/);
    expect(new Set(report.skipped)).toEqual(new Set(head.map(([name]) => name)));
  });

  it('is not that of another network', async () => {
    const backbone = prefixed('ema.', without('classifier.weight', 'classifier.bias'));
    const file = write([...plain, ...backbone]);
    expect(await inspectWeights(file, { prefix: 'ema.' })).toMatchObject({
      numClasses: 0,
      advice: undefined,
    });
  });

  it('is left alone if the network has one', async () => {
    const file = write([...prefixed('backbone.', plain), ['head.weight', zeros(9, 1280)]]);
    expect(await loaded(file)).toBe(expected);
    expect(await inspectWeights(file)).toMatchObject({ numClasses: 3, skipped: ['head.weight'] });
  });
});

describe.each(containers)('arrays of a dtype that is no weight, in %s', (_, write) => {
  it.each([
    ['bn1.weight', 'int8', /^bn1\.weight is int8, expected a floating-point dtype$/],
    ['conv_stem.weight', 'int64', /^conv_stem\.weight is int64, expected a floating-point/],
    ['bn1.running_mean', 'bool', /^bn1\.running_mean is bool, expected a floating-point/],
    ['bn1.num_batches_tracked', 'float32', /^bn1\.num_batches_tracked is float32, expected an integer/],
    ['bn1.num_batches_tracked', 'bool', /^bn1\.num_batches_tracked is bool, expected an integer/],
  ] as const)('are told by load and by the report: %s of %s', async (name, dtype, says) => {
    const typed = plain.map(([key, array]) => {
      if (key !== name) return [key, array] as const;
      const count = array.shape.reduce((product, size) => product * size, 1);
      return [key, { dtype, shape: array.shape, data: new Uint8Array(count * itemSizes[dtype]) }] as const;
    });
    const file = write(typed);
    const error = await errorOf(() => GhostNet.load(file));
    expect(error.code).toBe('GHOSTNET_BAD_DTYPE');
    expect(error.message).toContain(name);
    expect((await inspectWeights(file)).mistyped).toEqual([expect.stringMatching(says)]);
  });

  it('are none in a network that loads', async () => {
    expect((await inspectWeights(write(plain))).mistyped).toEqual([]);
  });
});

describe('a stem', () => {
  it.each([
    [1, /takes 1 channel,.*repeat\(1, 3, 1, 1\) \/ 3/],
    [4, /takes 4 channels,.*w\[:, :3\] \* 4 \/ 3.*in_chans=3/],
    [5, /takes 5 channels,.*in_chans=3/],
  ])('of %d channels is refused, with what timm did', async (channels, says) => {
    const file = writeSafetensors([
      ...without('conv_stem.weight'),
      ['conv_stem.weight', zeros(16, channels, 3, 3)],
    ]);
    const error = await errorOf(() => GhostNet.load(file));
    expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
    expect(error.message).toMatch(says);
    expect((await inspectWeights(file)).advice).toMatch(says);
  });
});

describe('the keys of another network', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['a ResNet', ['conv1.weight', 'layer1.0.conv1.weight', 'fc.weight'], /look like a ResNet/],
    ['a wrapped ResNet', ['model.layer1.0.conv1.weight', 'model.fc.weight'], /look like a ResNet/],
    [
      'a MobileNet of torchvision',
      ['features.0.0.weight', 'classifier.1.weight'],
      /MobileNet.* of torchvision/,
    ],
    [
      'an EfficientNet of timm',
      ['conv_stem.weight', 'blocks.0.0.conv_pw.weight', 'classifier.weight'],
      /of timm/,
    ],
    ['a vision transformer', ['cls_token', 'blocks.0.attn.qkv.weight'], /vision transformer/],
    ['an optimizer', ['state.0.exp_avg', 'param_groups.0.lr'], /optimizer/],
  ])('are named: %s', async (_, names, says) => {
    const file = writeSafetensors(names.map((name) => [name, zeros(1)]));
    const error = await errorOf(() => GhostNet.load(file));
    expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
    expect(error.message).toMatch(says);
    expect((await inspectWeights(file)).advice).toMatch(says);
  });

  it('are not guessed', async () => {
    const file = writeSafetensors([['w', zeros(1)]]);
    expect((await inspectWeights(file)).advice).toBeUndefined();
    expect((await errorOf(() => GhostNet.load(file))).code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
  });
});

describe('a training checkpoint', () => {
  it.each(['state_dict', 'model_state_dict', 'model', 'net', 'module', 'ema', 'model_ema', 'state_dict_ema'])(
    'holds its weights under %s',
    async (wrapper) => {
      const file = wrapped({
        epoch: 3,
        [wrapper]: prefixed('module.', plain),
        optimizer: dict([['lr', 0.1]]),
      });
      expect(await loaded(file)).toBe(expected);
      expect(await inspectWeights(file)).toMatchObject({ wrapper, prefix: 'module.', fallback: undefined });
    },
  );

  it('has a GhostNet under one of several keys', async () => {
    const file = wrapped({ model: dict([['depth', 3]]), state_dict: [['w', zeros(1)]], net: plain });
    expect(await loaded(file)).toBe(expected);
    expect((await inspectWeights(file)).wrapper).toBe('net');
  });

  it.each(['ema', 'model_ema', 'state_dict_ema'])(
    'has an average under %s, which is preferred',
    async (ema) => {
      const file = wrapped({ state_dict: plain, [ema]: other });
      expect(await loaded(file)).toBe(otherLogits);
      expect(await loaded(file, { weights: 'raw' })).toBe(expected);
    },
  );

  it.each([
    ['ema', ['module']],
    ['model_ema', ['state_dict']],
    ['ema', ['model', 'state_dict']],
  ])('may have an average within another: %s, %j', async (ema, inner) => {
    const file = wrapped({ state_dict: plain, [ema]: [] });
    expect((await inspectWeights(file)).fallback).toBeDefined(); // an empty average
    for (const container of ['zip', 'legacy'] as const) {
      const { object: raw, storages } = stateDictOf(plain, container);
      const { object, storages: more } = stateDictOf(other, container, storages.length);
      const [first] = storages;
      if (first === undefined) throw new Error('no storage');
      const settings: [Py, Py][] = [
        ['decay', 0.999],
        ['updates', tensorRef(storageRef(first, container), 0, tuple(1), tuple(1))],
      ];
      const nested = inner.reduceRight<Py>((value, key) => dict([...settings, [key, value]]), object);
      const pairs: [Py, Py][] = [
        ['state_dict', raw],
        [ema, nested],
      ];
      const bytes = (container === 'zip' ? torchZip : torchLegacy)(dict(pairs), [...storages, ...more]);
      expect(await loaded(bytes)).toBe(otherLogits);
      expect(await loaded(bytes, { weights: 'raw' })).toBe(expected);
      expect((await inspectWeights(bytes)).wrapper).toBe([ema, ...inner].join('.'));
    }
  });

  it('may have other things under the keys beside that of its average', async () => {
    const { object, storages } = stateDictOf(plain, 'zip');
    const inner: [Py, Py][] = [
      ['state_dict', dict([['lr', 0.1]])],
      ['model', dict([['depth', 3]])],
      ['module', object],
    ];
    const file = torchZip(dict([['ema', dict(inner)]]), storages);
    expect(await loaded(file)).toBe(expected);
  });

  it('may be a dict within itself, which holds nothing', async () => {
    const pickled = Buffer.from('\x80\x02}q\x00X\x05\0\0\0modelh\x00s.', 'latin1'); // a = {}; a['model'] = a
    for (const read of readers) {
      const error = await errorOf(() => read(torchZip(null, [], { pickled })));
      expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
    }
  });

  it('may have its weights within two keys, and nothing else', async () => {
    const { object, storages } = stateDictOf(plain, 'zip');
    const file = torchZip(dict([['model', dict([['state_dict', object]])]]), storages);
    expect(await loaded(file)).toBe(expected);
    expect((await inspectWeights(file)).wrapper).toBe('model.state_dict');
  });

  it('has networks under several keys, of which the rest is listed', async () => {
    const file = wrapped({ net: other, state_dict: plain, model_ema: plain, ema: other });
    expect((await inspectWeights(file, { weights: 'raw' })).skipped).toEqual(['net']);
    expect((await inspectWeights(file)).skipped).toEqual(['ema']);
  });

  it('may count batches in one of them alone', async () => {
    const average = other.filter(([name]) => !name.endsWith('num_batches_tracked'));
    const counted: Arrays = [...plain, ['total_ops', zeros(1)]];
    const file = wrapped({ state_dict: counted, state_dict_ema: average });
    expect(await inspectWeights(file)).toMatchObject({ wrapper: 'state_dict_ema', fallback: undefined });
  });

  const averages: [string, () => Arrays | Py, RegExp][] = [
    [
      'of parameters alone',
      () => other.filter(([name]) => !/running_|num_batches/.test(name)),
      /^ema has \d+ arrays of a GhostNet, not \d+$/,
    ],
    ['of another network', () => [['w', zeros(1)]], /^ema holds no GhostNet$/],
    ['in another form', () => dict([['decay', 0.999]]), /^ema holds no GhostNet$/],
    [
      'with an array of another shape',
      () => other.map(([name, array]) => [name, name === 'bn1.weight' ? zeros(1) : array] as const),
      /^ema does not have bn1\.weight \[\d+\] of the plain weights$/,
    ],
    [
      'with an array more',
      () => [...other, ['margin', zeros(1)] as const],
      /^ema has margin, which the plain weights do not have$/,
    ],
  ];
  it.each(averages)('has an average %s, and falls back, which it says', async (_, average, says) => {
    const file = wrapped({ state_dict: plain, ema: average() });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      expect(await loaded(file)).toBe(expected);
      expect(warn.mock.calls).toHaveLength(1);
      expect(warn.mock.calls[0]?.[0]).toContain('the plain weights are used, because ema');
      expect(warn.mock.calls[0]?.[1]).toMatchObject({ code: 'GHOSTNET_AVERAGE_NOT_USED' });
    } finally {
      warn.mockRestore();
    }
    const report: WeightsReport = await inspectWeights(file);
    expect(report.wrapper).toBe('state_dict');
    expect(report.fallback).toMatch(says);
    expect((await errorOf(() => GhostNet.load(file, { weights: 'ema' }))).code).toMatch(
      /MISMATCH|UNSUPPORTED/,
    );
  });
});
