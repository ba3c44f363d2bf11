import { describe, expect, it } from 'vitest';
import { readCheckpoint, writeSafetensors } from '../../lib/checkpoint/index.js';
import { errorOf } from '../fixtures/checkpoint/errors.js';

const refusal = (bytes: Uint8Array) => {
  const error = errorOf(() => readCheckpoint(bytes, { source: 'weights.pth' }));
  return `${error.code} ${error.message}`;
};
const text = (content: string) => Buffer.from(content, 'latin1');

/** A protobuf field of bytes. */
const field = (number: number, content: Uint8Array | string) =>
  Buffer.concat([Buffer.of(number * 8 + 2, content.length), Buffer.from(content)]);
/** A protobuf field of 200 bytes, whose length takes two. */
const longField = (number: number, content: Buffer) =>
  Buffer.concat([Buffer.of(number * 8 + 2, 0xc8, 0x01), content, Buffer.alloc(200 - content.length, 8)]);
const varintField = (number: number, value: number) => Buffer.of(number * 8, value);
const onnx = [
  varintField(1, 8),
  field(2, 'pytorch'),
  field(3, '2.0'),
  field(7, 'graph'),
  field(8, '\x10\x11'),
];

describe('a file that is no weights file', () => {
  it.each<[what: string, bytes: Buffer]>([
    ['an empty file', text('')],
    ['a web page (HTML)', text('<!DOCTYPE html><html></html>')],
    ['a web page (HTML)', text('\n  <html lang="en">')],
    ['a web page (HTML)', text('<!-- a --> <head>')],
    ['an XML document', text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')],
    ['a Git LFS pointer', text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')],
    ['a gzip archive', text('\x1f\x8b\x08\x00')],
    ['a bzip2 archive', text('BZh91AY')],
    ['an xz archive', text('\xfd7zXZ\0')],
    ['a zstd archive', text('\x28\xb5\x2f\xfd')],
    ['a 7z archive', text('7z\xbc\xaf\x27\x1c')],
    ['a PNG image', text('\x89PNG\r\n\x1a\n')],
    ['a JPEG image', text('\xff\xd8\xff\xe0')],
    ['a GIF image', text('GIF89a')],
    ['a WebP image', text('RIFF\x10\0\0\0WEBPVP8 ')],
    ['a PDF document', text('%PDF-1.7')],
    ['a JSON document', text('{"error": "not found"}')],
    ['a JSON document', text('[{"a": 1}]')],
    ['text that starts with "Not Found"', text('Not Found')],
    ['bytes that start with 0001020304050607', Buffer.of(0, 1, 2, 3, 4, 5, 6, 7)],
  ])('is identified as %s', (what, bytes) => {
    expect(refusal(bytes)).toMatch(
      /^GHOSTNET_UNKNOWN_FORMAT weights\.pth: this is not a weights file\. Expected a safe/,
    );
    expect(refusal(bytes)).toContain(`Found ${what}`);
  });

  it.each<[what: string, bytes: Buffer]>([
    ['a tar archive', Buffer.concat([Buffer.alloc(257), text('ustar  \0'), Buffer.alloc(300)])],
    ['an HDF5 file', text('\x89HDF\r\n\x1a\n\0\0')],
    ['a TensorFlow Lite model', text('\x20\0\0\0TFL3\0\0')],
    ['a NumPy array (.npy)', text('\x93NUMPY\x01\0')],
    ['a GGUF file', text('GGUF\x03\0\0\0')],
    ['an ONNX model', Buffer.concat(onnx)],
    ['an ONNX model', Buffer.concat(onnx).subarray(0, -6)],
    ['an ONNX model', Buffer.concat([varintField(1, 8), longField(7, text('graph')), field(8, 'opset')])],
    ['a TensorFlow SavedModel', Buffer.concat([varintField(1, 1), field(2, field(1, field(2, 'serve')))])],
    ['a TensorFlow frozen graph', field(1, Buffer.concat([field(1, 'input'), field(2, 'Placeholder')]))],
  ])('is rejected as %s', (what, bytes) => {
    expect(refusal(bytes)).toMatch(/^GHOSTNET_UNSUPPORTED_FORMAT /);
    expect(refusal(bytes)).toContain(`weights.pth: this is ${what}`);
  });

  it.each<[what: string, bytes: Buffer]>([
    ['another version', Buffer.concat([varintField(1, 2), field(2, field(1, 'x'))])],
    ['no graphs', varintField(1, 1)],
    ['a field that none has', Buffer.concat([varintField(1, 1), field(3, field(1, 'x'))])],
    ['a number for a graph', Buffer.concat([varintField(1, 1), varintField(2, 1)])],
    ['a graph of numbers', Buffer.concat([varintField(1, 1), field(2, varintField(1, 1))])],
    ['a graph that starts with a late field', Buffer.concat([varintField(1, 1), field(2, field(3, 'x'))])],
  ])('is not taken for a SavedModel with %s', (_, bytes) => {
    expect(refusal(bytes)).toMatch(/^GHOSTNET_UNKNOWN_FORMAT/);
  });

  it.each<[what: string, bytes: Buffer]>([
    ['a node without a name', field(1, field(2, 'Const'))],
    ['a node without an operation', field(1, field(1, 'input'))],
    ['an operation in small letters', field(1, Buffer.concat([field(1, 'input'), field(2, 'const')]))],
    ['a number for a name', field(1, Buffer.concat([varintField(1, 1), field(2, 'Const')]))],
    ['a number for an operation', field(1, Buffer.concat([field(1, 'input'), varintField(2, 1)]))],
    ['no node first', field(2, Buffer.concat([field(1, 'input'), field(2, 'Const')]))],
  ])('is not taken for a frozen graph with %s', (_, bytes) => {
    expect(refusal(bytes)).toMatch(/^GHOSTNET_UNKNOWN_FORMAT/);
  });

  it.each<[what: string, bytes: Buffer]>([
    ['no graph', Buffer.concat(onnx.slice(0, 3))],
    ['no version first', Buffer.concat(onnx.slice(1))],
    ['an impossible version', Buffer.concat([varintField(1, 127), ...onnx.slice(1)])],
    ['a field that no model has', Buffer.concat([...onnx, field(9, 'x')])],
    ['a field of another type', Buffer.concat([...onnx, varintField(6, 1)])],
    ['a field of fixed width', Buffer.concat([...onnx, Buffer.of(0x0d, 0, 0, 0, 0)])],
    ['a group', Buffer.concat([...onnx, Buffer.of(0x0b)])],
    ['a field 0', Buffer.concat([...onnx, Buffer.of(0x02, 0)])],
    ['an endless number', Buffer.concat([...onnx, Buffer.alloc(11, 0xff)])],
  ])('is not taken for ONNX with %s', (_, bytes) => {
    expect(refusal(bytes)).toMatch(/^GHOSTNET_UNKNOWN_FORMAT/);
  });
});

describe('readCheckpoint', () => {
  it('takes a view into a larger buffer', () => {
    const bytes = writeSafetensors([['a', { dtype: 'int8', shape: [3], data: Uint8Array.of(1, 2, 3) }]]);
    const around = Buffer.concat([Buffer.alloc(5), bytes, Buffer.alloc(5)]).subarray(5, -5);
    expect(readCheckpoint(around).arrays.get('a')?.data).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('gives plain byte arrays, not Buffers', () => {
    const bytes = writeSafetensors([['a', { dtype: 'int8', shape: [1], data: Uint8Array.of(1) }]]);
    expect(Buffer.isBuffer(readCheckpoint(Buffer.from(bytes)).arrays.get('a')?.data)).toBe(false);
  });

  it('speaks of "The weights file" when it has no name, and shortens names out of the file', () => {
    const bytes = writeSafetensors([['a', { dtype: 'int8', shape: [1], data: Uint8Array.of(1) }]]);
    expect(errorOf(() => readCheckpoint(bytes.subarray(0, -1))).message).toMatch(/^The weights file: /);
    const long = Buffer.from(`{"${'x'.repeat(1000)}":{"a":0}}`);
    const header = Buffer.alloc(8);
    header.writeUInt32LE(long.length);
    const { message } = errorOf(() => readCheckpoint(Buffer.concat([header, long])));
    expect(message).toMatch(/"x{80}…"/);
    expect(message.length).toBeLessThan(400);
  });
});

describe('a safetensors file whose length begins like a pickle', () => {
  it.each([0x280, 0x380, 0x480, 0x580])('is read all the same: %s bytes of header', (low) => {
    const length = 0x10000 + low;
    const plain = writeSafetensors([['w', { dtype: 'uint8', shape: [2], data: Uint8Array.of(7, 8) }]], {});
    const header = 8 + Number(Buffer.from(plain.buffer, plain.byteOffset).readBigUInt64LE());
    const file = Buffer.alloc(8 + length + 2, ' ');
    file.writeBigUInt64LE(BigInt(length));
    file.set(plain.subarray(8, header), 8);
    file.set(plain.subarray(header), 8 + length);
    expect(file[0]).toBe(0x80);
    expect([...(readCheckpoint(file).arrays.get('w')?.data ?? [])]).toEqual([7, 8]);
  });
});
