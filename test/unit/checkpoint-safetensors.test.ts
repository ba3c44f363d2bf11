import { describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors, type NamedArray } from '../../lib/checkpoint/index.js';
import { errorOf } from '../fixtures/checkpoint/errors.js';
import { u64 } from '../fixtures/checkpoint/pickle-writer.js';

function file(
  header: string,
  dataLength = 0,
  headerLength: number | bigint = Buffer.byteLength(header),
): Buffer {
  return Buffer.concat([u64(headerLength), Buffer.from(header), Buffer.alloc(dataLength, 7)]);
}

const entry = (dtype: string, shape: string, begin: number, end: number) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

const float = (values: readonly number[], shape: readonly number[] = [values.length]): NamedArray => ({
  dtype: 'float32',
  shape,
  data: new Uint8Array(new Float32Array(values).buffer),
});

describe('readSafetensors', () => {
  it('reads arrays as views of the file, in the order of the header', () => {
    const bytes = file(`{"b":${entry('F32', '[2]', 1, 9)},"a":${entry('U8', '[1]', 0, 1)}}`, 9);
    const { arrays, format, metadata } = readSafetensors(bytes);
    expect([...arrays.keys()]).toEqual(['b', 'a']);
    expect(arrays.get('b')).toEqual({ dtype: 'float32', shape: [2], data: new Uint8Array(8).fill(7) });
    expect(arrays.get('b')?.data.buffer).toBe(bytes.buffer);
    expect({ format, metadata }).toEqual({ format: 'safetensors', metadata: {} });
  });

  it('does not rename or leave out anything', () => {
    const names = ['module.a', 'module.total_ops'];
    const bytes = writeSafetensors(names.map((name) => [name, float([1])]));
    expect([...readSafetensors(bytes).arrays.keys()]).toEqual(names);
  });

  it('reads white space and padding wherever JSON allows it', () => {
    const bytes = file('{ "a" :\t{"dtype": "U8" ,\n"shape" : [ 1 , 2 ],"data_offsets":[0, 2] }\r}   ', 2);
    expect(readSafetensors(bytes).arrays.get('a')?.shape).toEqual([1, 2]);
  });

  it('reads a file without arrays', () => {
    expect(readSafetensors(file('{}')).arrays.size).toBe(0);
  });

  it('keeps metadata named like a prototype as plain metadata', () => {
    const { metadata } = readSafetensors(file('{"__metadata__":{"__proto__":"x"}}'));
    expect(Object.entries(metadata)).toEqual([['__proto__', 'x']]);
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
  });

  const one = entry('U8', '[1]', 0, 1);
  const long = `[${'1,'.repeat(64)}1]`;
  it.each<[rule: string, bytes: Buffer, says: RegExp]>([
    ['is 8 bytes or longer', Buffer.alloc(7), /in the middle of a value.*Expected 8 more bytes/],
    [
      'has a header of no more than the allowed length',
      file('{}', 0, 2 ** 23 + 1),
      /longer than that of any network/,
    ],
    ['has a header length that a double can hold', file('{}', 0, 2n ** 60n), /impossibly large/],
    ['holds its header', file('{}', 0, 3), /ends inside its header/],
    ['starts its header with {', file(' {}'), /does not start with \{/],
    ['ends its header with }', file('{"a":'), /not the JSON/],
    ['has nothing after the JSON', file('{} {}'), /unexpected bytes follow/],
    ['has text as keys', file('{a:1}'), /not the JSON/],
    ['has no trailing comma', file(`{"a":${one},}`, 1), /not the JSON/],
    ['has different names', file(`{"a":${one},"a":${one}}`, 1), /"a" twice/],
    ['has names that differ after unescaping', file(`{"a":${one},"\\u0061":${one}}`, 1), /"a" twice/],
    ['has different fields', file('{"a":{"dtype":"U8","dtype":"U8"}}'), /"dtype" twice/],
    ['has one metadata object', file('{"__metadata__":{},"__metadata__":{}}'), /"__metadata__" twice/],
    ['has text as metadata', file('{"__metadata__":{"a":1}}'), /not the JSON.*Expected "\\""/],
    ['has no other fields', file('{"a":{"dtype":"U8","name":"x"}}'), /unknown field "name"/],
    ['has all fields', file('{"a":{"dtype":"U8","shape":[0]}}'), /described incompletely/],
    [
      'has two offsets',
      file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}'),
      /described incompletely/,
    ],
    [
      'has no third offset',
      file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}'),
      /more than 2 numbers/,
    ],
    ['knows the dtype', file(`{"a":${entry('F31', '[1]', 0, 1)}}`, 1), /unknown dtype "F31"/],
    ['has axes of whole size', file(`{"a":${entry('U8', '[1.0]', 0, 1)}}`, 1), /not the JSON.*Expected "\]"/],
    [
      'has axes of positive size',
      file(`{"a":${entry('U8', '[-1]', 0, 1)}}`, 1),
      /plain non-negative integer/,
    ],
    [
      'has numbers without leading zeros',
      file(`{"a":${entry('U8', '[01]', 0, 1)}}`, 1),
      /plain non-negative integer/,
    ],
    [
      'has numbers that a double can hold',
      file(`{"a":${entry('U8', '[9007199254740993]', 0, 1)}}`, 1),
      /too large/,
    ],
    [
      'has countable shapes',
      file(`{"a":${entry('U8', '[4294967296,4294967296]', 0, 1)}}`, 1),
      /countable size/,
    ],
    ['has few axes', file(`{"a":${entry('U8', long, 0, 1)}}`, 1), /more than 64 numbers/],
    [
      'has data of the size of the shape',
      file(`{"a":${entry('F32', '[1]', 0, 8)}}`, 8),
      /Expected 4 bytes.*Found 8/,
    ],
    ['has data from its start', file(`{"a":${entry('U8', '[1]', 1, 2)}}`, 2), /"a" leaves a hole/],
    ['has no hole', file(`{"a":${one},"b":${entry('U8', '[1]', 2, 3)}}`, 3), /"b" leaves a hole/],
    [
      'has no overlap',
      file(`{"a":${entry('U8', '[2]', 0, 2)},"b":${entry('U8', '[2]', 1, 3)}}`, 3),
      /overlaps/,
    ],
    [
      'has ranges that run forward',
      file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,1]},"b":${entry('U8', '[0]', 1, 0)}}`, 1),
      /ends before it starts/,
    ],
    ['holds all data', file(`{"a":${entry('U8', '[4]', 0, 4)}}`, 3), /ends inside its data/],
    ['holds nothing else', file(`{"a":${one}}`, 2), /bytes follow the data/],
    ['has strings that end', file('{"a'), /does not end/],
    ['has strings that end after an escape', file('{"a\\'), /does not end/],
    ['has right escapes', file('{"\\x":1}'), /invalid escape/],
    ['has whole surrogate pairs', file(`{"\\ud800":${one}}`, 1), /half a surrogate pair/],
    ['has no control characters in strings', file(`{"a\n":${one}}`, 1), /control character/],
    ['is UTF-8', Buffer.concat([u64(5), Buffer.from('{"\xff":', 'latin1')]), /not valid UTF-8/],
  ])('requires that a file %s', (_, bytes, says) => {
    const error = errorOf(() => readSafetensors(bytes, 'a.safetensors'));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toMatch(says);
    expect(error.message).toMatch(/^a\.safetensors: .*\(byte \d+\)/);
  });

  it('says at which byte', () => {
    const header = `{"a":${one},"a":${one}}`;
    const error = errorOf(() => readSafetensors(file(header, 1)));
    expect(error.message).toContain(`(byte ${8 + header.lastIndexOf('"a"')})`);
  });

  it.each(['F8_E5M2', 'U16', 'U64', 'C64', 'F4'])('does not support the dtype %s', (dtype) => {
    const error = errorOf(() => readSafetensors(file(`{"a":${entry(dtype, '[1]', 0, 1)}}`, 1)));
    expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
    expect(error.message).toContain(dtype);
  });
});

describe('writeSafetensors', () => {
  it('writes the widest dtypes first, then by the bytes of the name, and pads the header', () => {
    const bytes = writeSafetensors([
      ['\u{1f600}', float([3])],
      ['\uffee', float([2])],
      ['z', { dtype: 'bool', shape: [1], data: Uint8Array.of(1) }],
      ['b', { dtype: 'int64', shape: [], data: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) }],
      ['10', float([1, 2], [2, 1])],
      ['9', float([], [0])],
    ]);
    const { arrays } = readSafetensors(bytes);
    expect([...arrays.keys()]).toEqual(['b', '10', '9', '\uffee', '\u{1f600}', 'z']);
    const headerLength = Number(Buffer.from(bytes).readBigUInt64LE());
    expect(headerLength % 8).toBe(0);
    expect(Buffer.from(bytes.subarray(8, 8 + headerLength)).toString()).toMatch(/^\{"b":.*\}\} {0,7}$/);
  });

  it('writes metadata by key, whatever the order and the look of the keys', () => {
    const a = writeSafetensors([], { b: '1', '10': '2', '9': '3' });
    const b = writeSafetensors([], { '9': '3', b: '1', '10': '2' });
    expect(a).toEqual(b);
    expect(Buffer.from(a).toString()).toContain('{"__metadata__":{"10":"2","9":"3","b":"1"}}');
  });

  it.each<[rule: string, write: () => unknown, says: RegExp]>([
    [
      'two arrays of one name',
      () =>
        writeSafetensors([
          ['a', float([1])],
          ['a', float([2])],
        ]),
      /two arrays are named "a"/,
    ],
    ['the reserved name', () => writeSafetensors([['__metadata__', float([1])]]), /reserved/],
    ['half a surrogate pair', () => writeSafetensors([['\ud800', float([1])]]), /surrogate/],
    ['half a surrogate pair in metadata', () => writeSafetensors([], { a: '\udc00' }), /surrogate/],
    [
      'too little data',
      () => writeSafetensors([['a', float([1], [2])]]),
      /not have the size of its shape.*float32 \[2\].*Found 4 bytes/,
    ],
    [
      'a negative axis',
      () => writeSafetensors([['a', float([], [-1, 0])]]),
      /not have the size of its shape/,
    ],
    [
      'an unknown dtype',
      () => writeSafetensors([['a', { ...float([1]), dtype: 'float8' as 'float32' }]]),
      /a dtype that the format lacks.*float8/,
    ],
  ])('refuses %s', (_, write, says) => {
    const error = errorOf(write);
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(error.message).toMatch(says);
  });

  it('says so when the file does not fit in memory', () => {
    const data = Object.defineProperty(new Uint8Array(0), 'byteLength', { value: 2 ** 52 });
    const error = errorOf(() => writeSafetensors([['a', { dtype: 'uint8', shape: [2 ** 52], data }]]));
    expect(error.code).toBe('GHOSTNET_OUT_OF_MEMORY');
  });
});
