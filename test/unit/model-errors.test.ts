import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { embeddedModel, GhostNet, inspectWeights, Tensor, type LoadOptions } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readSafetensors, writeSafetensors } from '../../lib/checkpoint/index.js';
import { codeOf, errorOf } from '../support/errors.js';
import { arraysOf, smallStages } from '../support/models.js';

let folder: string;
let model: GhostNet;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-errors-'));
  model = await GhostNet.create({ stages: smallStages, numClasses: 3 });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const small = { stages: smallStages, numClasses: 3 };

describe('options that are rejected', () => {
  it.each<[string, object]>([
    ['an unknown variant', { variant: 'resnet50' }],
    ['a variant of two digits', { variant: 'ghostnet_99' }],
    ['a variant of width 0', { variant: 'ghostnet_000' }],
    ['a variant of negative width', { variant: 'ghostnet_-50' }],
    ['a variant of too great a width', { variant: 'ghostnet_99999' }],
    ['a variant with more behind it', { variant: 'ghostnet_100x' }],
    ['a variant that is no text', { variant: 100 }],
    ['width 0', { width: 0 }],
    ['a negative width', { width: -1 }],
    ['width NaN', { width: NaN }],
    ['an infinite width', { width: Infinity }],
    ['a width that is text', { width: '1' }],
    ['fewer classes than none', { numClasses: -1 }],
    ['half a class', { numClasses: 1.5 }],
    ['NaN classes', { numClasses: NaN }],
    ['too many classes', { numClasses: 2 ** 40 }],
    ['a negative dropout', { dropout: -0.1 }],
    ['a dropout of 1', { dropout: 1 }],
    ['dropout NaN', { dropout: NaN }],
    ['a negative seed', { seed: -1 }],
    ['a fraction as seed', { seed: 1.5 }],
    ['seed NaN', { seed: NaN }],
    ['a seed beyond whole numbers', { seed: 2 ** 53 }],
    ['a seed that is text', { seed: '7' }],
    ['no stage', { stages: [] }],
    ['an empty stage', { stages: [[]] }],
    ['stages that are text', { stages: 'v1' }],
    ['a stage that is no list', { stages: [3] }],
    ['a row that is no list', { stages: [[null]] }],
    ['a row of four', { stages: [[[3, 16, 16, 0]]] }],
    ['a row of seven', { stages: [[[3, 16, 16, 0, 1, 1, 1]]] }],
    ['an attention of 2', { stages: [[[3, 16, 16, 0, 1, 2]]] }],
    ['an even kernel', { stages: [[[2, 16, 16, 0, 1]]] }],
    ['a stride of 3', { stages: [[[3, 16, 16, 0, 3]]] }],
    ['no expansion', { stages: [[[3, 0, 16, 0, 1]]] }],
    ['a negative output', { stages: [[[3, 16, -16, 0, 1]]] }],
    ['an output that is NaN', { stages: [[[3, 16, NaN, 0, 1]]] }],
    ['an output beyond all memory', { stages: [[[3, 16, 2 ** 40, 0, 1]]] }],
    ['a negative ratio', { stages: [[[3, 16, 16, -0.25, 1]]] }],
    ['a ratio above 1', { stages: [[[3, 16, 16, 1.5, 1]]] }],
    ['a row with text', { stages: [[[3, 16, '16', 0, 1]]] }],
    ['an input of 31 pixels', { inputSize: 31 }],
    ['too large an input', { inputSize: 100_000 }],
    ['an input of half pixels', { inputSize: 64.5 }],
    ['crop 0', { crop: 0 }],
    ['a crop above 1', { crop: 1.1 }],
    ['crop NaN', { crop: NaN }],
    ['an unknown interpolation', { interpolation: 'nearest' }],
    ['two means', { mean: [0, 0] }],
    ['a mean that is a number', { mean: 0.5 }],
    ['a mean of NaN', { mean: [0, 0, NaN] }],
    ['a mean beyond float32', { mean: [1e39, 0, 0] }],
    ['a standard deviation of 0', { std: [1, 0, 1] }],
    ['a negative standard deviation', { std: [1, 1, -1] }],
    ['a standard deviation that is 0 in float32', { std: [1, 1e-60, 1] }],
    ['an infinite standard deviation', { std: [1, 1, Infinity] }],
    ['no thread', { threads: 0 }],
    ['too many threads', { threads: 257 }],
    ['half a thread', { threads: 1.5 }],
    ['threads that are text', { threads: '2' }],
    ['too few labels', { labels: ['a', 'b'] }],
    ['too many labels', { labels: ['a', 'b', 'c', 'd'] }],
    ['labels that are text', { labels: 'abc' }],
    ['labels that are numbers', { labels: [1, 2, 3] }],
    ['an unknown treatment of profiles', { colorProfile: 'maybe' }],
    ['an unknown backend', { backend: 'fastest' }],
    ['a signal that is none', { signal: {} }],
  ])('%s', async (_, options) => {
    const { code, message } = await errorOf(() => GhostNet.create({ ...small, ...options }));
    expect(code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(message).not.toContain('native');
  });

  it.each<[string, object]>([
    ['too few labels', { labels: ['a'] }],
    ['no thread', { threads: 0 }],
    ['an unknown interpolation', { interpolation: 'nearest' }],
    ['crop 0', { crop: 0 }],
    ['an unknown choice of weights', { weights: 'best' }],
    ['averaged weights where there are none', { weights: 'ema' }],
  ])('when loading: %s', async (_, options) => {
    expect(await codeOf(() => GhostNet.load(embeddedModel, options as LoadOptions))).toBe(
      'GHOSTNET_INVALID_ARGUMENT',
    );
  });

  it('are not kept alive: the next call is fine', async () => {
    await codeOf(() => GhostNet.create({ ...small, width: NaN }));
    using next = await GhostNet.create(small);
    expect(next.info.numClasses).toBe(3);
  });
});

describe('sources that cannot be loaded', () => {
  const load = (source: unknown) => errorOf(() => GhostNet.load(source as string));

  it('a missing file', async () => {
    const error = await load(join(folder, 'missing.safetensors'));
    expect(error.code).toBe('GHOSTNET_FILE_NOT_FOUND');
    expect(error.message).toContain('missing.safetensors');
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
  });

  it('a file in a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect((await load(join(folder, 'file', 'model'))).code).toBe('GHOSTNET_FILE_NOT_FOUND');
  });

  it('a folder', async () => {
    expect((await load(folder)).code).toBe('GHOSTNET_FILE_UNREADABLE');
  });

  it('a URL of the network', async () => {
    const error = await load(new URL('http://localhost/model.safetensors'));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(error.found).toBe('http://localhost/model.safetensors');
  });

  it.each([
    ['null', null],
    ['a number', 5],
    ['a list', []],
    ['a map', new Map()],
    ['a buffer without a type', new ArrayBuffer(8)],
    ['floats', new Float32Array(8)],
  ])('%s', async (_, source) => {
    expect((await load(source)).code).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it('an object that has options beside it', async () => {
    const error = await errorOf(() => GhostNet.load({ threads: 1 } as never, { threads: 1 }));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it('bytes of no known format', async () => {
    expect((await load(new Uint8Array(0))).code).toBe('GHOSTNET_UNKNOWN_FORMAT');
    expect((await load(Buffer.from('not a model at all, but a line of text'))).code).toBe(
      'GHOSTNET_UNKNOWN_FORMAT',
    );
  });

  it('a truncated file', async () => {
    const bytes = readFileSync(embeddedModel);
    expect((await load(bytes.subarray(0, bytes.length - 1))).code).toBe('GHOSTNET_MALFORMED_FILE');
  });

  describe('parameters of another network', () => {
    const arrays = () => new Map(readSafetensors(readFileSync(embeddedModel)).arrays);

    it('one too few', async () => {
      const changed = arrays();
      changed.delete('conv_head.bias');
      const error = await load(writeSafetensors(changed));
      expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
      expect(error.message).toContain('conv_head.bias');
    });

    it('one too many', async () => {
      const changed = arrays();
      changed.set('blocks.0.0.extra', { dtype: 'float32', shape: [1], data: new Uint8Array(4) });
      const error = await load(writeSafetensors(changed));
      expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
      expect(error.message).toContain('blocks.0.0.extra');
    });

    it('one of another shape', async () => {
      const changed = arrays();
      changed.set('bn1.bias', { dtype: 'float32', shape: [3], data: new Uint8Array(12) });
      const error = await load(writeSafetensors(changed));
      expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
      expect(error.message).toContain('bn1.bias');
    });

    it('many, of which five of each kind are named, with the totals', async () => {
      const changed = arrays();
      const names = [...changed.keys()].filter((name) => /^blocks\.6\..*(?:weight|bias)$/.test(name));
      for (const name of names.slice(0, 7)) changed.delete(name);
      for (const name of names.slice(10, 18)) {
        changed.set(name, { dtype: 'float32', shape: [1, 2, 3], data: new Uint8Array(24) });
      }
      const long = 'x'.repeat(5000);
      for (const name of ['a', 'b', 'c', 'd', 'e', long]) {
        changed.set(name, { dtype: 'float32', shape: [1], data: new Uint8Array(4) });
      }
      const { metadata } = readSafetensors(readFileSync(embeddedModel));
      for (const file of [writeSafetensors(changed, metadata), writeSafetensors(changed)]) {
        const error = await load(file);
        expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
        expect(error.message).toContain(`${file.byteLength} bytes`);
        expect(error.message.length).toBeLessThan(2500);
        const lists =
          /7 missing: (.*), \.\.\.; 8 of the wrong shape: (.*), \.\.\.; 6 unexpected: (.*), \.\.\./.exec(
            error.found ?? '',
          );
        expect(lists?.[1]?.split(', ')).toHaveLength(5);
        expect(lists?.[2]?.match(/ is \[1,2,3\], expected \[/g)).toHaveLength(5);
        expect(lists?.[3]).toBe('a, b, c, d, e');
        const { missing, reshaped, unexpected, reason } = await inspectWeights(file);
        if (reason === undefined) {
          expect([missing.length, reshaped.length, unexpected.length]).toEqual([7, 8, 6]);
        } else {
          expect(reason).toContain(error.found);
        }
      }
    });

    it('of a width that is not published, which shows in the other arrays', async () => {
      using whole = await GhostNet.create({ width: 0.7, numClasses: 3 });
      const changed = new Map(await arraysOf(whole));
      const lost = 'blocks.3.0.ghost1.primary_conv.0.weight';
      changed.delete(lost);
      const file = writeSafetensors(changed);
      const error = await load(file);
      expect(error.message).toContain('ghostnet_070 with 3 classes');
      expect(error.found).toBe(`1 missing: ${lost}`);
      expect(await inspectWeights(file)).toMatchObject({
        variant: 'ghostnet_070',
        width: 0.7,
        missing: [lost],
        reshaped: [],
        unexpected: [],
      });
    });

    it('of none, which are compared with the network that fits best', async () => {
      const renamed = new Map(
        [...arrays()].map(([name, array]) => [name.replace('conv_stem', 'stem'), array]),
      );
      const error = await load(writeSafetensors(renamed));
      expect(error.found).toBe(
        'no conv_stem.weight; beside ghostnet_050: 1 missing: conv_stem.weight; 1 unexpected: stem.weight',
      );
    });

    it('one that holds no numbers with a fraction', async () => {
      const changed = arrays();
      const bias = changed.get('bn1.bias');
      const [channels = 0] = bias?.shape ?? [];
      changed.set('bn1.bias', { dtype: 'int32', shape: [channels], data: new Uint8Array(channels * 4) });
      expect((await load(writeSafetensors(changed))).code).toBe('GHOSTNET_BAD_DTYPE');
    });

    it('none of it', async () => {
      const other = new Map([['weight', { dtype: 'float32', shape: [1], data: new Uint8Array(4) } as const]]);
      expect((await load(writeSafetensors(other))).code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
    });
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['a crop that is text', '{"crop":"1"}'],
    ['labels that are numbers', '{"labels":[1]}'],
  ])('metadata with %s', async (_, text) => {
    const { arrays } = readSafetensors(readFileSync(embeddedModel));
    const error = await load(writeSafetensors(arrays, { ghostnet: text }));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
  });
});

describe('inputs that are rejected', () => {
  it.each<[string, Tensor]>([
    ['31 x 31 pixels', Tensor.empty('float32', [1, 3, 31, 31])],
    ['31 rows', Tensor.empty('float32', [1, 3, 31, 64])],
    ['31 columns of bytes', Tensor.empty('uint8', [1, 64, 31, 3])],
    ['no image', Tensor.empty('float32', [0, 3, 64, 64])],
    ['four channels', Tensor.empty('float32', [1, 4, 64, 64])],
    ['channels last in floats', Tensor.empty('float32', [1, 64, 64, 3])],
    ['channels first in bytes', Tensor.empty('uint8', [1, 3, 64, 64])],
    ['no batch', Tensor.empty('float32', [3, 64, 64])],
    ['five dimensions', Tensor.empty('float32', [1, 1, 3, 64, 64])],
    ['a scalar', Tensor.empty('float32', [])],
  ])('%s', async (_, input) => {
    const error = await errorOf(() => model.forward(input as Tensor<'float32'>));
    expect(error.code).toBe('GHOSTNET_BAD_SHAPE');
    expect(error.found).toContain(`[${input.shape.join(',')}]`);
    expect(await codeOf(() => model.embed(input as Tensor<'float32'>))).toBe('GHOSTNET_BAD_SHAPE');
  });

  it.each(['int64', 'float64', 'int8', 'int16', 'int32'] as const)('of dtype %s', async (dtype) => {
    const input = Tensor.empty(dtype, [1, 3, 64, 64]) as unknown as Tensor<'float32'>;
    const error = await errorOf(() => model.forward(input));
    expect(error.code).toBe('GHOSTNET_BAD_DTYPE');
    expect(error.found).toContain(dtype);
  });

  it.each([
    ['values', new Float32Array(3 * 64 * 64)],
    ['a lookalike', { dtype: 'float32', shape: [1, 3, 64, 64], data: new Float32Array(3 * 64 * 64) }],
    ['a path', 'photo.jpg'],
    ['null', null],
    ['nothing', undefined],
  ])('%s instead of a tensor', async (_, input) => {
    const error = await errorOf(() => model.forward(input as unknown as Tensor<'float32'>));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it('a tensor that was disposed of', async () => {
    const input = Tensor.empty('float32', [1, 3, 64, 64]);
    input.dispose();
    expect(await codeOf(() => model.forward(input))).toBe('GHOSTNET_DISPOSED');
  });
});

describe('a model that was disposed of', () => {
  it('refuses every call', async () => {
    const disposed = await GhostNet.create(small);
    disposed.dispose();
    const input = Tensor.empty('float32', [1, 3, 64, 64]);
    const photo = { data: new Uint8Array(12), width: 2, height: 2 };
    const calls: (() => unknown)[] = [
      () => disposed.forward(input),
      () => disposed.embed(input),
      () => disposed.classify(photo),
      () => disposed.classify([photo]),
      () => disposed.preprocess([photo]),
      () => disposed.summary(),
      () => disposed.stateDict(),
      () => disposed.save(join(folder, 'disposed')),
    ];
    const codes = await Promise.all(calls.map(codeOf));
    expect(codes).toEqual(calls.map(() => 'GHOSTNET_DISPOSED'));
    expect(readdirSync(folder)).not.toContain('disposed');
  });

  it('is disposed of by using', async () => {
    let outside: GhostNet | undefined;
    {
      using inside = await GhostNet.create(small);
      outside = inside;
    }
    expect(await codeOf(() => outside.stateDict())).toBe('GHOSTNET_DISPOSED');
  });
});

describe('places where nothing can be saved', () => {
  it('a folder that does not exist', async () => {
    const error = await errorOf(() => model.save(join(folder, 'missing', 'model')));
    expect(error.code).toBe('GHOSTNET_FILE_UNWRITABLE');
    expect(error.message).toContain('missing');
  });

  it('a folder, which stays as it is', async () => {
    const place = mkdtempSync(join(folder, 'place-'));
    const occupied = mkdtempSync(join(place, 'occupied-'));
    expect(await codeOf(() => model.save(occupied))).toBe('GHOSTNET_FILE_UNWRITABLE');
    expect(readdirSync(place)).toHaveLength(1);
  });

  it('a URL of the network', async () => {
    expect(await codeOf(() => model.save(new URL('http://localhost/model')))).toBe(
      'GHOSTNET_INVALID_ARGUMENT',
    );
  });
});
