import { describe, expect, it } from 'vitest';
import { Cursor } from '../../lib/checkpoint/cursor.js';
import { Opcode } from '../../lib/checkpoint/pickle-opcodes.js';
import {
  describeValue,
  PickleDict,
  PickleGlobal,
  PickleInert,
  PickleList,
  PickleStorage,
  PickleTensor,
  PickleTuple,
  type PickleValue,
} from '../../lib/checkpoint/pickle-values.js';
import { readPickle } from '../../lib/checkpoint/pickle.js';
import { finish } from '../../lib/checkpoint/slices.js';
import { errorOf } from '../fixtures/checkpoint/errors.js';
import {
  call,
  dict,
  global,
  persistent,
  pickle,
  raw,
  tuple,
  u32,
  u64,
  type Py,
} from '../fixtures/checkpoint/pickle-writer.js';

const read = (bytes: Uint8Array) => finish(readPickle(new Cursor(bytes, 'a.pth')));

/** A pickle of raw opcodes: names stand for opcodes, numbers and bytes for their arguments. */
function opcodes(...parts: readonly (keyof typeof Opcode | number | Uint8Array)[]): Buffer {
  const encoded = parts.map((part) =>
    typeof part === 'string'
      ? Buffer.of(Opcode[part])
      : typeof part === 'number'
        ? Buffer.of(part)
        : Buffer.from(part),
  );
  return Buffer.concat([Buffer.of(Opcode.Proto, 2), ...encoded]);
}

/** A pickled value as plain data, for comparisons. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleDict)
    return new Map([...value.entries].map(([key, item]) => [plain(key), plain(item)]));
  if (value instanceof PickleList) return value.items.map(plain);
  if (value instanceof PickleTuple) return { tuple: value.items.map(plain) };
  if (value instanceof Uint8Array) return [...value];
  if (value === null || typeof value !== 'object') return value;
  return describeValue(value);
}

const orderedDict = global('collections', 'OrderedDict');
const storage = (...tail: readonly Py[]) => persistent('storage', global('torch', 'FloatStorage'), ...tail);

describe('readPickle', () => {
  it.each([2, 3, 4, 5])('reads data of protocol %i', (protocol) => {
    const bytes = pickle(
      dict([
        ['none', null],
        ['bools', tuple(true, false)],
        [
          'integers',
          [0, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 40, -(2 ** 40), 2n ** 90n, -(2n ** 90n)],
        ],
        ['floats', [1.5, -1e300, Infinity]],
        ['text', 'ünï\u{1f600}'],
        ['bytes', Uint8Array.of(0, 255)],
        ['tuples', tuple(tuple(), tuple(1), tuple(1, 2), tuple(1, 2, 3), tuple(1, 2, 3, 4))],
        ['dict', call(orderedDict)],
        [7, tuple(1)],
      ]),
      protocol,
    );
    expect(plain(read(bytes).value)).toEqual(
      new Map<unknown, unknown>([
        ['none', null],
        ['bools', { tuple: [true, false] }],
        [
          'integers',
          [0, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 40, -(2 ** 40), 2n ** 90n, -(2n ** 90n)],
        ],
        ['floats', [1.5, -1e300, Infinity]],
        ['text', 'ünï\u{1f600}'],
        ['bytes', [0, 255]],
        [
          'tuples',
          {
            tuple: [
              { tuple: [] },
              { tuple: [1] },
              { tuple: [1, 2] },
              { tuple: [1, 2, 3] },
              { tuple: [1, 2, 3, 4] },
            ],
          },
        ],
        ['dict', new Map()],
        [7, { tuple: [1] }],
      ]),
    );
  });

  it.each<[what: string, bytes: Buffer, value: unknown]>([
    [
      'short tuples',
      opcodes('None', 'Tuple1', 'None', 'Tuple2', 'None', 'NewTrue', 'Tuple3', 'Stop'),
      { tuple: [{ tuple: [{ tuple: [null] }, null] }, null, true] },
    ],
    ['text of Python 2', opcodes('ShortBinString', 2, Buffer.from('ab'), 'Stop'), 'ab'],
    ['long text of Python 2', opcodes('BinString', u32(2), Buffer.from('ab'), 'Stop'), 'ab'],
    ['text with a 64-bit length', opcodes('BinUnicode8', u64(2), Buffer.from('ab'), 'Stop'), 'ab'],
    ['bytes with an 8-bit length', opcodes('ShortBinBytes', 2, Buffer.from('ab'), 'Stop'), [97, 98]],
    ['bytes with a 64-bit length', opcodes('BinBytes8', u64(2), Buffer.from('ab'), 'Stop'), [97, 98]],
    ['a bytearray', opcodes('ByteArray8', u64(2), Buffer.from('ab'), 'Stop'), [97, 98]],
    ['an integer of no bytes', opcodes('Long1', 0, 'Stop'), 0],
    ['an integer with a 32-bit length', opcodes('Long4', u32(2), 0, 128, 'Stop'), -32768],
    [
      'single items',
      opcodes('EmptyDict', 'None', 'EmptyList', 'NewTrue', 'Append', 'SetItem', 'Stop'),
      new Map([[null, [true]]]),
    ],
    [
      'the later of two equal keys',
      opcodes('EmptyDict', 'None', 'NewTrue', 'SetItem', 'None', 'NewFalse', 'SetItem', 'Stop'),
      new Map([[null, false]]),
    ],
    ['dropped values', opcodes('None', 'NewTrue', 'Pop', 'Mark', 'NewTrue', 'PopMark', 'Stop'), null],
    [
      'memorised values',
      opcodes(
        'BinInt1',
        5,
        'BinPut',
        9,
        'LongBinPut',
        u32(70000),
        'Pop',
        'BinGet',
        9,
        'LongBinGet',
        u32(70000),
        'Tuple2',
        'Stop',
      ),
      { tuple: [5, 5] },
    ],
    [
      'values memorised in turn',
      opcodes('None', 'Memoize', 'NewTrue', 'Memoize', 'BinGet', 0, 'BinGet', 1, 'Tuple2', 'Tuple3', 'Stop'),
      { tuple: [null, true, { tuple: [null, true] }] },
    ],
    ['frames', opcodes('Frame', u64(2), 'None', 'Stop'), null],
    [
      'sets',
      opcodes('EmptySet', 'Mark', 'None', 'AddItems', 'Mark', 'None', 'FrozenSet', 'Tuple2', 'Stop'),
      { tuple: ['a set', 'a frozenset'] },
    ],
  ])('reads %s', (_, bytes, value) => {
    expect(plain(read(bytes).value)).toEqual(value);
  });

  it('leaves the cursor behind the pickle', () => {
    const cursor = new Cursor(Buffer.concat([pickle(1), pickle(2)]), 'a.pth');
    expect([finish(readPickle(cursor)).value, finish(readPickle(cursor)).value, cursor.remaining]).toEqual([
      1, 2, 0,
    ]);
  });

  it('describes tensors and storages without reading them', () => {
    const size = call(global('torch', 'Size'), tuple(2));
    const tensor = call(
      global('torch._utils', '_rebuild_tensor_v2'),
      storage('0', 'cuda:0', 6),
      1,
      size,
      tuple(1),
      true,
    );
    const { value, storages } = read(
      pickle(call(global('torch._utils', '_rebuild_parameter'), tensor, true, null)),
    );
    expect(value).toBeInstanceOf(PickleTensor);
    const [first, ...rest] = (value as PickleTensor).args;
    expect(first).toEqual(new PickleStorage('torch.FloatStorage', '0', 6, false));
    expect(rest.map(plain)).toEqual([1, { tuple: [2] }, { tuple: [1] }, true]);
    expect([...storages.keys()]).toEqual(['0']);
  });

  it.each<[what: string, value: Py]>([
    ['a call of an unknown function', call(global('os', 'system'), 'true')],
    ['a call of what a call gave', call(call(global('functools', 'partial'), 1), 2)],
    ['an OrderedDict of pairs', call(orderedDict, [tuple('a', 1)])],
    ['a parameter without data', call(global('torch._utils', '_rebuild_parameter'))],
    ['a torch.Size of no tuple', call(global('torch', 'Size'), 3)],
    [
      'an unknown function whose result takes items',
      raw(...pickle(call(global('m', 'f'))).subarray(2, -1), Opcode.None, Opcode.None, Opcode.SetItem),
    ],
    [
      'an unknown function whose result is appended to',
      raw(...pickle(call(global('m', 'f'))).subarray(2, -1), Opcode.None, Opcode.Append),
    ],
    [
      'an unknown function whose result has a state',
      raw(...pickle(call(global('m', 'f'))).subarray(2, -1), Opcode.None, Opcode.Build),
    ],
    [
      'a class made with NEWOBJ',
      raw(...pickle(tuple(global('m', 'C'), tuple())).subarray(3, -2), Opcode.NewObj),
    ],
    [
      'a class made with NEWOBJ_EX',
      raw(...pickle(tuple(global('m', 'C'), tuple(), dict([]))).subarray(3, -2), Opcode.NewObjEx),
    ],
  ])('makes something inert of %s', (_, value) => {
    expect(read(pickle(value)).value).toBeInstanceOf(PickleInert);
  });

  it('ignores the attributes of a dict', () => {
    const bytes = opcodes('EmptyDict', 'EmptyDict', 'None', 'NewTrue', 'SetItem', 'Build', 'Stop');
    expect(plain(read(bytes).value)).toEqual(new Map());
  });

  it('takes the class out of the legacy record of its source', () => {
    const { value } = read(pickle(persistent('module', global('m', 'C'), 'm.py', 'class C: ...')));
    expect((value as PickleGlobal).path).toBe('m.C');
  });

  it.each<[rule: string, bytes: Buffer, says: RegExp]>([
    ['starts with its protocol', Buffer.of(Opcode.None, Opcode.Stop), /no pickle of protocol 2 to 5/],
    [
      'is of protocol 2 or later',
      Buffer.of(Opcode.Proto, 1, Opcode.None, Opcode.Stop),
      /no pickle of protocol 2 to 5/,
    ],
    [
      'is of protocol 5 or earlier',
      Buffer.of(Opcode.Proto, 6, Opcode.None, Opcode.Stop),
      /no pickle of protocol 2 to 5/,
    ],
    ['ends', opcodes('None'), /in the middle of a value/],
    ['ends with a value', opcodes('Stop'), /never pushed/],
    ['ends with one value', opcodes('None', 'None', 'Stop'), /stops with unused values/],
    ['closes its marks', opcodes('Mark', 'None', 'Stop'), /stops with unused values/],
    ['has known opcodes', opcodes('None', 0xff, 'Stop'), /opcode 0xff/],
    ['has no extension codes', opcodes(0x82, 1, 'Stop'), /opcode 0x82/],
    ['has no buffers of its own', opcodes(0x97, 'Stop'), /opcode 0x97/],
    ['has no textual integers', opcodes(0x49, Buffer.from('1\n'), 'Stop'), /opcode 0x49/],
    ['has frames that fit', opcodes('Frame', u64(100), 'None', 'Stop'), /longer than the pickle/],
    ['takes only what it put', opcodes('Tuple1', 'Stop'), /never pushed/],
    ['takes nothing from below a mark', opcodes('None', 'Mark', 'Tuple1', 'Stop'), /never pushed/],
    [
      'takes no two values from across a mark',
      opcodes('None', 'Mark', 'None', 'Tuple2', 'Stop'),
      /pops a value that it never pushed \(byte 5\)/,
    ],
    ['uses nothing from below a mark', opcodes('EmptyList', 'Mark', 'BinPut', 0, 'Stop'), /never pushed/],
    ['closes marks that it opened', opcodes('Tuple', 'Stop'), /never opened/],
    ['recalls what it memorised', opcodes('BinGet', 0, 'Stop'), /recalls value 0, which it never memorised/],
    [
      'sets items of dicts, not of lists',
      opcodes('EmptyList', 'None', 'None', 'SetItem', 'Stop'),
      /sets an item of a list/,
    ],
    [
      'sets items of dicts, not of tensors',
      pickle(
        raw(
          ...pickle(call(global('torch._utils', '_rebuild_tensor_v2'))).subarray(2, -1),
          Opcode.None,
          Opcode.None,
          Opcode.SetItem,
        ),
      ),
      /sets an item of a tensor/,
    ],
    [
      'sets items of dicts, not of storages',
      pickle(
        raw(
          ...pickle(storage('0', 'cpu', 1)).subarray(2, -1),
          Opcode.Mark,
          Opcode.None,
          Opcode.None,
          Opcode.SetItems,
        ),
      ),
      /sets an item of a bare storage/,
    ],
    [
      'sets items of dicts, not of text',
      opcodes('ShortBinString', 1, 65, 'None', 'None', 'SetItem', 'Stop'),
      /sets an item of a string/,
    ],
    [
      'sets items of dicts, not of bytes',
      opcodes('ShortBinBytes', 1, 65, 'BinInt1', 0, 'BinInt1', 66, 'SetItem', 'Stop'),
      /sets an item of bytes/,
    ],
    [
      'sets items of dicts, not of globals',
      pickle(raw(...pickle(global('m', 'C')).subarray(2, -1), Opcode.None, Opcode.None, Opcode.SetItem)),
      /sets an item of the class or function/,
    ],
    [
      'sets keys with values',
      opcodes('EmptyDict', 'Mark', 'None', 'SetItems', 'Stop'),
      /a key without a value/,
    ],
    [
      'has hashable keys',
      opcodes('EmptyDict', 'EmptyList', 'None', 'SetItem', 'Stop'),
      /uses a list as a key/,
    ],
    ['appends to lists, not to dicts', opcodes('EmptyDict', 'None', 'Append', 'Stop'), /appends to a dict/],
    [
      'appends to lists, not to tuples',
      opcodes('EmptyTuple', 'Mark', 'None', 'Appends', 'Stop'),
      /appends to a tuple/,
    ],
    ['adds items to sets', opcodes('EmptyList', 'Mark', 'None', 'AddItems', 'Stop'), /not a set/],
    [
      'sets the state of objects, not of lists',
      opcodes('EmptyList', 'None', 'Build', 'Stop'),
      /sets the state of a list/,
    ],
    [
      'sets the state of objects, not of tensors',
      pickle(
        raw(
          ...pickle(call(global('torch._utils', '_rebuild_tensor_v2'))).subarray(2, -1),
          Opcode.None,
          Opcode.Build,
        ),
      ),
      /sets the state of a tensor/,
    ],
    [
      'makes objects of globals',
      opcodes('EmptyList', 'EmptyTuple', 'Reduce', 'Stop'),
      /creates an object of a list/,
    ],
    [
      'makes objects of tuples',
      pickle(raw(...pickle(global('m', 'C')).subarray(2, -1), Opcode.None, Opcode.Reduce)),
      /arguments that are not a tuple/,
    ],
    ['names globals by text', opcodes('None', 'None', 'StackGlobal', 'Stop'), /not a string/],
    [
      'names globals by two lines',
      opcodes('Global', Buffer.from('collections\nOrderedDict')),
      /name of a global does not end/,
    ],
    [
      'names globals briefly',
      opcodes('Global', Buffer.from(`${'m'.repeat(2000)}\nC\n`), 'Stop'),
      /name of a global does not end/,
    ],
    [
      'names globals briefly on the stack',
      pickle(global('m'.repeat(3000), 'C'), 4),
      /name of a global is too long/,
    ],
    ['has text in UTF-8', opcodes('BinUnicode', u32(1), 0xff, 'Stop'), /not valid UTF-8/],
    ['has text that fits', opcodes('BinUnicode', u32(100), 'Stop'), /in the middle of a value/],
    ['has short text', opcodes('BinUnicode', u32(2 ** 24 + 1)), /a string of the pickle has 16777217 bytes/],
    [
      'has short text of Python 2',
      opcodes('BinString', u32(2 ** 24 + 1)),
      /a string of the pickle has 16777217 bytes/,
    ],
    ['has bytes that fit', opcodes('BinBytes8', u64(2 ** 40), 'Stop'), /in the middle of a value/],
    ['has lengths that a double can hold', opcodes('BinBytes8', u64(2n ** 63n), 'Stop'), /impossibly large/],
    [
      'has short integers',
      opcodes('Long4', u32(2000), Buffer.alloc(2000), 'Stop'),
      /an integer of the pickle has 2000 bytes/,
    ],
    ['refers to storages by tuples', opcodes('None', 'BinPersId', 'Stop'), /not a storage/],
    ['refers to storages', pickle(persistent('file', 'x')), /not a storage/],
    [
      'refers to storages by class',
      pickle(persistent('storage', 'FloatStorage', '0', 'cpu', 1)),
      /not a storage/,
    ],
    ['refers to storages by a text key', pickle(storage(0, 'cpu', 1)), /not a storage/],
    ['refers to storages of a place', pickle(storage('0', null, 1)), /not a storage/],
    ['refers to storages of a size', pickle(storage('0', 'cpu', '1')), /not a storage/],
    ['refers to storages of a positive size', pickle(storage('0', 'cpu', -1)), /not a storage/],
    ['refers to storages of a whole size', pickle(storage('0', 'cpu', 1.5)), /not a storage/],
    ['refers to storages of a countable size', pickle(storage('0', 'cpu', 2n ** 64n)), /not a storage/],
    [
      'describes a storage in one size',
      pickle(tuple(storage('0', 'cpu', 1), storage('0', 'cpu', 2))),
      /"0" in two ways/,
    ],
    [
      'describes a storage in one class',
      pickle(
        tuple(storage('0', 'cpu', 1), persistent('storage', global('torch', 'LongStorage'), '0', 'cpu', 1)),
      ),
      /"0" in two ways/,
    ],
    [
      'has few opcodes',
      opcodes(Buffer.alloc(2_000_002, Buffer.of(Opcode.None, Opcode.Pop)), 'None', 'Stop'),
      /more than 2000000 opcodes/,
    ],
    [
      'holds few values at once',
      opcodes(Buffer.alloc(100_001, Opcode.None)),
      /more than 100000 values at once/,
    ],
    ['nests little', opcodes(Buffer.alloc(1_001, Opcode.Mark)), /nests deeper than 1000/],
    [
      'names few globals',
      pickle(Array.from({ length: 1_001 }, (_, index) => global('m', `C${index}`))),
      /names more than 1000 globals/,
    ],
    [
      'memorises little',
      opcodes('None', Buffer.alloc(500_001, Opcode.Memoize)),
      /memorises more than 500000/,
    ],
  ])('requires that a pickle %s', (_, bytes, says) => {
    const error = errorOf(() => read(bytes));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toMatch(says);
    expect(error.message).toMatch(/^a\.pth: .*\(byte \d+\)/);
  });

  it.each([
    ['lists', 390_000, [Opcode.EmptyList, Opcode.Append]],
    ['dicts', 390_000, [Opcode.EmptyDict, Opcode.None, Opcode.None, Opcode.SetItem, Opcode.Append]],
    ['tuples', 390_000, [Opcode.None, Opcode.Tuple1, Opcode.Append]],
    ['objects', 900_000, [Opcode.EmptySet, Opcode.Append]],
    ['strings', 900_000, [Opcode.ShortBinUnicode, 0, Opcode.Append]],
    ['bytes', 390_000, [Opcode.ShortBinBytes, 0, Opcode.Append]],
    ['long integers', 900_000, [Opcode.Long1, 9, ...Array<number>(9).fill(1), Opcode.Append]],
  ])('bounds the memory for %s', (_, count, bytes) => {
    const many = opcodes('EmptyList', Buffer.alloc(count * bytes.length, Buffer.from(bytes)), 'Stop');
    expect(errorOf(() => read(many)).message).toMatch(/take more than \d+ bytes of memory/);
    const few = opcodes('EmptyList', Buffer.alloc(50_000 * bytes.length, Buffer.from(bytes)), 'Stop');
    expect((read(few).value as PickleList).items).toHaveLength(50_000);
  });

  it('reads what trainings of many tensors and steps leave behind', () => {
    const tensor = (key: string): Py =>
      call(
        global('torch._utils', '_rebuild_tensor_v2'),
        storage(key, 'cpu', 1),
        0,
        tuple(1),
        tuple(1),
        false,
        call(orderedDict),
      );
    const keys = Array.from({ length: 3_000 }, (_, index) => String(index));
    const steps = Array.from({ length: 90_000 }, (_, step) => step / 7);
    const state = keys.map((key): [Py, Py] => [
      Number(key),
      dict(['step', 'exp_avg', 'exp_avg_sq'].map((name) => [name, tensor(`${name}${key}`)])),
    ]);
    const checkpoint = dict([
      ['state_dict', dict(keys.map((key) => [`layer.${key}.weight`, tensor(key)]))],
      ['optimizer', dict([['state', dict(state)]])],
      ['loss', steps],
      ['accuracy', steps],
      ['history', steps.slice(0, 20_000).map((loss) => dict([['loss', loss]]))],
    ]);
    const { value, storages } = read(pickle(checkpoint));
    expect(storages.size).toBe(12_000);
    expect((value as PickleDict).entries.size).toBe(5);
  });

  it('takes a global that is named often for one', () => {
    const { value } = read(pickle(Array.from({ length: 2_000 }, () => global('m', 'C'))));
    expect(new Set((value as PickleList).items).size).toBe(1);
  });

  it('says at which byte of the file', () => {
    const file = Buffer.concat([Buffer.alloc(10), opcodes('None', 0xff)]);
    const error = errorOf(() => finish(readPickle(new Cursor(file, 'a.pth', 10))));
    expect(error.message).toContain('(byte 13)');
  });

  it('makes a dict that holds itself without following it', () => {
    const { value } = read(opcodes('EmptyDict', 'BinPut', 0, 'None', 'BinGet', 0, 'SetItem', 'Stop'));
    expect((value as PickleDict).entries.get(null)).toBe(value);
  });
});
