import { describe, expect, it } from 'vitest';
import { readCheckpoint, type NamedArray } from '../../lib/checkpoint/index.js';
import { errorOf } from '../fixtures/checkpoint/errors.js';
import { call, dict, global, persistent, tuple, type Py } from '../fixtures/checkpoint/pickle-writer.js';
import {
  storageRef,
  tensorRef,
  torchFile,
  torchLegacy,
  torchZip,
  type StorageSpec,
  type TorchContainer,
  type TorchLegacyOptions,
} from '../fixtures/checkpoint/writers.js';

const storage: StorageSpec = {
  key: '0',
  dtype: 'int16',
  bytes: Uint8Array.from({ length: 24 }, (_, index) => index),
};
const containers: readonly TorchContainer[] = ['zip', 'legacy'];

function write(container: TorchContainer, object: Py, storages: readonly StorageSpec[] = [storage]): Buffer {
  return (container === 'zip' ? torchZip : torchLegacy)(object, storages);
}

/** A state dict with one tensor in the storage of 12 elements. */
const strided = (container: TorchContainer, offset: Py, size: Py, stride: Py) =>
  write(container, dict([['w', tensorRef(storageRef(storage, container), offset, size, stride)]]));

describe.each(containers)('a tensor in the %s container', (container) => {
  const elements = (offset: Py, size: Py, stride: Py) => {
    const array = readCheckpoint(strided(container, offset, size, stride)).arrays.get('w');
    return {
      shape: array?.shape,
      values: [...(array?.data ?? [])].filter((byte) => byte % 2 === 0).map((byte) => byte / 2),
    };
  };

  const repeated = Array.from({ length: 7 }, () => [3, 4]).flat();
  it.each<[what: string, args: [Py, Py, Py], shape: number[], values: number[]]>([
    ['all of a storage', [0, tuple(3, 4), tuple(4, 1)], [3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ['a part of it', [5, tuple(2, 3), tuple(3, 1)], [2, 3], [5, 6, 7, 8, 9, 10]],
    ['a scalar', [11, tuple(), tuple()], [], [11]],
    ['a transposed part', [1, tuple(3, 2), tuple(1, 5)], [3, 2], [1, 6, 2, 7, 3, 8]],
    ['rows apart', [0, tuple(2, 2, 2), tuple(7, 2, 1)], [2, 2, 2], [0, 1, 2, 3, 7, 8, 9, 10]],
    ['overlapping rows', [0, tuple(3, 2), tuple(1, 1)], [3, 2], [0, 1, 1, 2, 2, 3]],
    ['an element over and over', [4, tuple(2, 2), tuple(0, 0)], [2, 2], [4, 4, 4, 4]],
    ['more elements than its storage, if it was expanded', [3, tuple(7, 2), tuple(0, 1)], [7, 2], repeated],
    ['axes of size 1 of any stride', [2, tuple(1, 3, 1), tuple(1000, 1, 2 ** 40)], [1, 3, 1], [2, 3, 4]],
    ['nothing', [0, tuple(0, 1000), tuple(1000, 1)], [0, 1000], []],
  ])('can be %s', (_, [offset, size, stride], shape, values) => {
    expect(elements(offset, size, stride)).toEqual({ shape, values });
  });

  const far = Array.from({ length: 65 }, () => 1);
  it.each<[rule: string, bytes: Buffer, says: RegExp]>([
    ['begins in its storage', strided(container, 12, tuple(1), tuple(1)), /reaches beyond its storage/],
    ['ends in its storage', strided(container, 1, tuple(12), tuple(1)), /reaches beyond its storage/],
    [
      'steps inside its storage',
      strided(container, 0, tuple(2, 2), tuple(11, 1)),
      /reaches beyond its storage/,
    ],
    [
      'has no more elements than its storage, unless it repeats some',
      strided(container, 0, tuple(13), tuple(1)),
      /reaches beyond its storage/,
    ],
    [
      'repeats no more elements than the file has bytes',
      strided(container, 0, tuple(2 ** 40), tuple(0)),
      /expanded are larger than the whole file.*\.contiguous\(\)/,
    ],
    ['does not begin before its storage', strided(container, -1, tuple(2), tuple(1)), /described wrongly/],
    ['does not step back', strided(container, 1, tuple(2), tuple(-1)), /described wrongly/],
    ['has no negative axis', strided(container, 0, tuple(-1, -1), tuple(1, 1)), /described wrongly/],
    ['has whole axes', strided(container, 0, tuple(1.5), tuple(1)), /described wrongly/],
    ['has a stride for each axis', strided(container, 0, tuple(2, 2), tuple(1)), /described wrongly/],
    ['has an axis for each stride', strided(container, 0, tuple(2), tuple(1, 1)), /described wrongly/],
    ['has a tuple as shape', strided(container, 0, [2], tuple(1)), /described wrongly/],
    ['has a number as offset', strided(container, null, tuple(1), tuple(1)), /described wrongly/],
    ['has few axes', strided(container, 0, tuple(...far), tuple(...far)), /size cannot be counted/],
    [
      'has a countable shape',
      strided(container, 0, tuple(2 ** 32, 2 ** 32), tuple(0, 0)),
      /size cannot be counted/,
    ],
    [
      'has a countable shape even if it is empty',
      strided(container, 0, tuple(2 ** 40, 2 ** 40, 0), tuple(1, 1, 1)),
      /size cannot be counted/,
    ],
    [
      'has a countable reach',
      strided(container, 0, tuple(2, 2), tuple(2 ** 53 - 1, 2 ** 53 - 1)),
      /reaches beyond/,
    ],
    [
      'has strides that a double can hold',
      strided(container, 0, tuple(2), tuple(2n ** 64n)),
      /described wrongly/,
    ],
    [
      'lies in a storage',
      write(container, dict([['w', tensorRef(null, 0, tuple(1), tuple(1))]]), []),
      /described wrongly/,
    ],
    [
      'has all its arguments',
      write(container, dict([['w', call(global('torch._utils', '_rebuild_tensor_v2'))]]), []),
      /described wrongly/,
    ],
  ])('%s', (_, bytes, says) => {
    const error = errorOf(() => readCheckpoint(bytes, { source: 'a.pth' }));
    expect(error.message).toMatch(says);
    expect(error.message).toMatch(/^a\.pth: .*\(byte \d+\)/);
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
  });

  it('is copied only while all copies together fit in the size of the file', () => {
    const large: StorageSpec = { key: '0', dtype: 'uint8', bytes: new Uint8Array(100_000) };
    const views = (count: number) => {
      const tensor = tensorRef(storageRef(large, container), 0, tuple(10, 10_000), tuple(1, 10));
      const object = dict(Array.from({ length: count }, (_, index) => [String(index), tensor] as const));
      return (container === 'zip' ? torchZip : torchLegacy)(object, [large]);
    };
    expect(readCheckpoint(views(1)).arrays.size).toBe(1);
    const error = errorOf(() => readCheckpoint(views(20)));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toMatch(/larger than the whole file/);
  });

  it('may have metadata that says nothing, and no other', () => {
    const withMetadata = (metadata: Py) => {
      const parts = [storageRef(storage, container), 0, tuple(12), tuple(1), false, null, metadata];
      return write(container, dict([['w', call(global('torch._utils', '_rebuild_tensor_v2'), ...parts)]]));
    };
    expect(readCheckpoint(withMetadata(null)).arrays.get('w')?.data).toEqual(storage.bytes);
    expect(readCheckpoint(withMetadata(dict([]))).arrays.get('w')?.data).toEqual(storage.bytes);
    const error = errorOf(() => readCheckpoint(withMetadata(dict([['neg', true]]))));
    expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
  });

  it('in a storage view, as written by PyTorch before 1.0, is rejected by name', () => {
    const view = persistent('storage', global('torch', 'ShortStorage'), '0', 'cpu', 12, tuple('1', 0, 6));
    const error = errorOf(() =>
      readCheckpoint(write(container, dict([['w', tensorRef(view, 0, tuple(1), tuple(1))]]))),
    );
    expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
    expect(error.message).toMatch(/PyTorch before 1\.0/);
  });

  it('in an unknown storage class is rejected by name', () => {
    const other = persistent('storage', global('torch', 'FancyStorage'), '0', 'cpu', 12);
    const error = errorOf(() =>
      readCheckpoint(write(container, dict([['w', tensorRef(other, 0, tuple(1), tuple(1))]]))),
    );
    expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
    expect(error.message).toMatch(/torch\.FancyStorage/);
  });

  it('may be broken outside of the state dict that is read', () => {
    const broken = tensorRef(storageRef(storage, container), 0, tuple(1000), tuple(1));
    const whole = tensorRef(storageRef(storage, container), 0, tuple(12), tuple(1));
    const bytes = write(
      container,
      dict([
        ['optimizer', dict([['w', broken]])],
        ['state_dict', dict([['w', whole]])],
      ]),
    );
    expect(readCheckpoint(bytes).arrays.get('w')?.data).toEqual(storage.bytes);
  });
});

describe('the legacy container', () => {
  const object = dict([['w', tensorRef(storageRef(storage, 'legacy'), 0, tuple(12), tuple(1))]]);
  const legacy = (options: TorchLegacyOptions) => torchLegacy(object, [storage], options);
  const unused: StorageSpec = { key: '1', dtype: 'int16', bytes: new Uint8Array(2) };

  it.each<[rule: string, bytes: Buffer, says: RegExp]>([
    [
      'has a known version',
      legacy({ version: 1002 }),
      /version of the legacy container is unknown.*Expected 1001/,
    ],
    ['lists its storages', legacy({ keys: dict([]) }), /not a list of unique keys/],
    ['lists its storages by text', legacy({ keys: [0] }), /not a list of unique keys/],
    ['lists its storages once', legacy({ keys: ['0', '0'] }), /not a list of unique keys/],
    ['lists all storages of its tensors', legacy({ keys: [] }), /bytes follow the last storage/],
    ['holds all storages of its tensors', torchLegacy(object, [], {}), /has no storage "0"/],
    [
      'holds only storages of its tensors',
      torchLegacy(object, [storage, unused]),
      /storage "1", to which no tensor refers/,
    ],
    [
      'holds storages as large as the pickle says',
      legacy({ countOf: () => 11 }),
      /"0".*Expected 12 elements. Found 11/,
    ],
    [
      'holds storages as small as the pickle says',
      legacy({ countOf: () => 13 }),
      /"0".*Expected 12 elements. Found 13/,
    ],
    ['holds storages of a positive size', legacy({ countOf: () => 2n ** 64n - 1n }), /impossibly large/],
    ['holds its storages whole', legacy({}).subarray(0, -1), /in the middle of a value/],
    ['holds nothing else', legacy({ tail: new Uint8Array(1) }), /bytes follow the last storage/],
    ['holds five pickles', legacy({}).subarray(0, 16), /in the middle of a value/],
  ])('%s', (_, bytes, says) => {
    const error = errorOf(() => readCheckpoint(bytes, { source: 'a.pth' }));
    expect(error.message).toMatch(says);
    expect(error.message).toMatch(/^a\.pth: .*\(byte \d+\)/);
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
  });

  it('holds storages no larger than the file, whatever the pickle says', () => {
    const lie = dict([['w', tensorRef(storageRef(storage, 'legacy', 2 ** 50), 0, tuple(12), tuple(1))]]);
    const error = errorOf(() => readCheckpoint(torchLegacy(lie, [storage], { countOf: () => 2 ** 50 })));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toMatch(/in the middle of a value/);
  });

  it.each<[what: string, bytes: Buffer, says: RegExp]>([
    ['of another byte order', legacy({ systemInfo: dict([['little_endian', false]]) }), /big-endian/],
    ['that torch.save did not write', legacy({ magic: 5 }), /a Python pickle of a number/],
  ])('is refused by name when it is one %s', (_, bytes, says) => {
    const error = errorOf(() => readCheckpoint(bytes));
    expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
    expect(error.message).toMatch(says);
  });
});

describe('the state dict in a file', () => {
  const array = (value: number): NamedArray => ({ dtype: 'uint8', shape: [1], data: Uint8Array.of(value) });
  const values = (bytes: Buffer, weights?: 'auto' | 'ema' | 'raw') => {
    const { arrays, wrapper, skipped } = readCheckpoint(bytes, weights === undefined ? {} : { weights });
    return { wrapper, skipped, arrays: [...arrays].map(([name, { data }]) => [name, data[0]]) };
  };
  const tensor = (key: string, value: number) => {
    const spec: StorageSpec = { key, dtype: 'uint8', bytes: Uint8Array.of(value) };
    return { spec, ref: tensorRef(storageRef(spec), 0, tuple(1), tuple(1)) };
  };
  const one = tensor('0', 1);
  const two = tensor('1', 2);
  const both = (object: Py) => torchZip(object, [one.spec, two.spec]);

  it.each<
    [what: string, bytes: Buffer, weights: 'auto' | 'ema' | 'raw', wrapper: string | undefined, value: number]
  >([
    ['itself', both(dict([['w', one.ref]])), 'auto', undefined, 1],
    ['itself when the plain one is requested', both(dict([['w', one.ref]])), 'raw', undefined, 1],
    [
      'under state_dict',
      both(
        dict([
          ['epoch', 1],
          ['state_dict', dict([['w', one.ref]])],
        ]),
      ),
      'auto',
      'state_dict',
      1,
    ],
    ['under model', both(dict([['model', dict([['w', one.ref]])]])), 'auto', 'model', 1],
    [
      'under state_dict before model',
      both(
        dict([
          ['model', dict([['w', two.ref]])],
          ['state_dict', dict([['w', one.ref]])],
        ]),
      ),
      'auto',
      'state_dict',
      1,
    ],
    [
      'averaged',
      both(
        dict([
          ['state_dict', dict([['w', one.ref]])],
          ['state_dict_ema', dict([['w', two.ref]])],
        ]),
      ),
      'auto',
      'state_dict_ema',
      2,
    ],
    [
      'averaged, by the other name',
      both(
        dict([
          ['model', dict([['w', one.ref]])],
          ['model_ema', dict([['w', two.ref]])],
        ]),
      ),
      'ema',
      'model_ema',
      2,
    ],
    [
      'plain beside an averaged one',
      both(
        dict([
          ['model', dict([['w', one.ref]])],
          ['model_ema', dict([['w', two.ref]])],
        ]),
      ),
      'raw',
      'model',
      1,
    ],
    [
      'plain beside an absent averaged one',
      both(
        dict([
          ['state_dict', dict([['w', one.ref]])],
          ['state_dict_ema', null],
        ]),
      ),
      'auto',
      'state_dict',
      1,
    ],
    [
      'averaged beside a flat one',
      both(
        dict([
          ['w', one.ref],
          ['model_ema', dict([['w', two.ref]])],
        ]),
      ),
      'auto',
      'model_ema',
      2,
    ],
  ])('is found %s', (_, bytes, weights, wrapper, value) => {
    expect(values(bytes, weights)).toEqual({ wrapper, skipped: [], arrays: [['w', value]] });
  });

  it('may be empty', () => {
    expect(values(torchFile('zip', []))).toEqual({ wrapper: undefined, skipped: [], arrays: [] });
  });

  it('loses the prefixes of wrappers where all keys have them, and the counters of a profiler', () => {
    const named = (...names: readonly string[]) =>
      values(
        torchFile(
          'zip',
          names.map((name, index) => [name, array(index)] as const),
        ),
      );
    expect(named('module.a', 'total_ops', 'module.b.total_params')).toEqual({
      wrapper: undefined,
      skipped: ['total_ops', 'module.b.total_params'],
      arrays: [['a', 0]],
    });
    expect(named('module.a', 'b').arrays).toEqual([
      ['module.a', 0],
      ['b', 1],
    ]);
    expect(named('module.module.a').arrays).toEqual([['a', 0]]);
    expect(named('module._orig_mod.a', 'module._orig_mod.b').arrays).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
    expect(named('module.model.a', 'module.net.b').arrays).toEqual([
      ['model.a', 0],
      ['net.b', 1],
    ]);
    expect(named('modules.a', 'modules.b').arrays).toHaveLength(2);
    expect(named('other.a').arrays).toEqual([['other.a', 0]]);
    expect(named('subtotal_ops', 'total_ops.weight').skipped).toEqual([]);
  });

  it('skips counters without looking at them', () => {
    expect(
      values(
        both(
          dict([
            ['w', one.ref],
            ['x.total_ops', 17],
          ]),
        ),
      ).skipped,
    ).toEqual(['x.total_ops']);
  });

  it.each<[what: string, object: Py, says: RegExp]>([
    ['the file holds none', null, /contains None, not a state dict/],
    ['a key is no text', dict([[1, one.ref]]), /a number as a key/],
    [
      'a value is an object',
      dict([
        ['w', one.ref],
        ['x', call(global('m', 'C'))],
      ]),
      /"x" in the state dict is an object of "m\.C"/,
    ],
    ['a value is a dict', dict([['state_dict', dict([['w', dict([])]])]]), /"w" in the state dict is a dict/],
    [
      'the model is an object',
      dict([
        ['epoch', 1],
        ['model', call(global('m', 'C'))],
      ]),
      /"model" \(an object of "m\.C"\)/,
    ],
  ])('is refused when %s', (_, object, says) => {
    const error = errorOf(() => readCheckpoint(both(object)));
    expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
    expect(error.message).toMatch(says);
  });
});
