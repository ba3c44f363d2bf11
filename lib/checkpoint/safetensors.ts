import { quote } from '../check/words.js';
import { GhostNetError, type ErrorDetails } from '../errors.js';
import { elementCount, itemSizes, plainView } from './array.js';
import { Cursor } from './cursor.js';
import { malformed, unnamedSource, unsupported } from './faults.js';
import { readHeader, type HeaderEntry } from './safetensors-header.js';
import { finish, type Sliced } from './slices.js';
import type { ArrayDType, ArrayFile, NamedArray } from './types.js';

/** A hundred times the header of a GhostNet with a thousand labels; the format allows more. */
const longestHeader = 1 << 23;

/** The arrays that are checked between two pauses. */
const arraysPerSlice = 1024;

/** Bytes of the header length; the length of the header is padded to a multiple of it. */
const headerAlignment = 8;

/**
 * The names of the dtypes in the format, in the order in which arrays are written: the widest first, so that each array stays
 * aligned to its elements; among equal widths, the order of the reference implementation.
 */
const formatNames: readonly (readonly [ArrayDType, string])[] = [
  ['int64', 'I64'],
  ['float64', 'F64'],
  ['float32', 'F32'],
  ['int32', 'I32'],
  ['bfloat16', 'BF16'],
  ['float16', 'F16'],
  ['int16', 'I16'],
  ['int8', 'I8'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
];
const dtypeOf: ReadonlyMap<string, ArrayDType> = new Map(formatNames.map(([dtype, name]) => [name, dtype]));
const nameOf: ReadonlyMap<ArrayDType, string> = new Map(formatNames);
const rankOf: ReadonlyMap<ArrayDType, number> = new Map(formatNames.map(([dtype], rank) => [dtype, rank]));

/** Other dtypes of the format, which no network of this package uses. */
const otherFormatName = /^(?:F4|F6_E2M3|F6_E3M2|F8_\w+|U16|U32|U64|C64)$/;

/**
 * Reads a safetensors file as it is: keys are neither renamed nor skipped.
 *
 * @param file - the whole file; the arrays are views of it
 * @param source - the name of the file in messages
 * @returns the arrays, in the order of the header, and the metadata
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE` if the file violates the format, `GHOSTNET_UNSUPPORTED_FORMAT` if the dtype
 *   of an array has no {@link ArrayDType}
 * @see https://huggingface.co/docs/safetensors
 */
export function readSafetensors(file: Uint8Array, source = unnamedSource): ArrayFile {
  return finish(parseSafetensors(file, source));
}

/** As {@link readSafetensors}, in slices. */
export function* parseSafetensors(file: Uint8Array, source: string): Sliced<ArrayFile> {
  const bytes = plainView(file);
  const prefix = new Cursor(bytes, source);
  const length = prefix.u64();
  if (length > longestHeader) {
    throw malformed(source, 0, 'the header is longer than that of any network', {
      expected: `at most ${longestHeader} bytes`,
      found: `${length}`,
    });
  }
  if (length > prefix.remaining) {
    throw malformed(source, 0, 'the file ends inside its header', {
      expected: `a header of ${length} bytes`,
      found: `${prefix.remaining} bytes`,
    });
  }
  const dataStart = prefix.position + length;
  const header = yield* readHeader(new Cursor(bytes, source, prefix.position, dataStart));
  checkLayout(header.entries, dataStart, source, bytes.byteLength);
  const arrays = new Map<string, NamedArray>();
  for (const entry of header.entries) {
    if (arrays.size % arraysPerSlice === 0) yield;
    const dtype = checkEntry(entry, source);
    const data = bytes.subarray(dataStart + entry.begin, dataStart + entry.end);
    arrays.set(entry.name, { dtype, shape: entry.shape, data });
  }
  return { format: 'safetensors', arrays, metadata: header.metadata };
}

/** Checks that the arrays fill the data exactly: no hole, no overlap, no bytes after them. */
function checkLayout(
  entries: readonly HeaderEntry[],
  dataStart: number,
  source: string,
  fileEnd: number,
): void {
  const ordered = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let filled = 0;
  for (const { name, offset, begin, end } of ordered) {
    if (begin !== filled || end < begin) {
      const what =
        begin > filled ? 'leaves a hole' : begin < filled ? 'overlaps another' : 'ends before it starts';
      throw malformed(source, offset, `the data of array ${quote(name)} ${what}`, {
        expected: `data_offsets that start at ${filled}`,
        found: `[${begin}, ${end}]`,
      });
    }
    filled = end;
  }
  if (dataStart + filled !== fileEnd) {
    const what = dataStart + filled > fileEnd ? 'the file ends inside its data' : 'bytes follow the data';
    throw malformed(source, Math.min(dataStart + filled, fileEnd), what, {
      expected: `${filled} bytes of data`,
      found: `${fileEnd - dataStart}`,
    });
  }
}

function checkEntry(
  { name, offset, dtype: formatName, shape, begin, end }: HeaderEntry,
  source: string,
): ArrayDType {
  const dtype = dtypeOf.get(formatName);
  if (dtype === undefined) {
    if (otherFormatName.test(formatName)) {
      throw unsupported(
        source,
        `array ${quote(name)} has the dtype ${formatName}`,
        'Convert the arrays to float32, float16 or bfloat16 before saving.',
      );
    }
    throw malformed(source, offset, `array ${quote(name)} has the unknown dtype ${quote(formatName)}`);
  }
  const count = elementCount(shape);
  const size = count === undefined ? undefined : count * itemSizes[dtype];
  if (size !== end - begin) {
    throw malformed(source, offset, `the data of array ${quote(name)} does not have the size of its shape`, {
      expected:
        size === undefined
          ? 'a shape of countable size'
          : `${size} bytes for ${formatName} [${shape.join(', ')}]`,
      found: `${end - begin}`,
    });
  }
  return dtype;
}

/**
 * Writes a safetensors file. The bytes depend only on the arguments, not on the order of the arrays: arrays are sorted by width
 * of dtype, the widest first, then by name, and metadata by key.
 *
 * @param arrays - names and arrays
 * @param metadata - strings to store with them
 * @returns the bytes of the file
 * @throws GhostNetError `GHOSTNET_INVALID_ARGUMENT` if a name is duplicate, reserved or not well-formed Unicode, or if the data
 *   of an array does not have the size of its shape and dtype; `GHOSTNET_OUT_OF_MEMORY` if the file does not fit in memory
 */
export function writeSafetensors(
  arrays: Iterable<readonly [string, NamedArray]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const ordered = orderArrays(arrays);
  const fields: [string, string][] = [];
  const metadataPairs = Object.entries(metadata).sort(([a], [b]) => compareUtf8(a, b));
  metadataPairs.flat().forEach(requireWellFormed);
  if (metadataPairs.length > 0) {
    fields.push([
      '__metadata__',
      jsonObject(metadataPairs.map(([key, value]) => [key, JSON.stringify(value)])),
    ]);
  }
  let dataLength = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    const range = [dataLength, dataLength + data.byteLength];
    fields.push([name, JSON.stringify({ dtype: nameOf.get(dtype), shape, data_offsets: range })]);
    dataLength += data.byteLength;
  }
  const json = Buffer.from(jsonObject(fields));
  const headerLength = Math.ceil(json.byteLength / headerAlignment) * headerAlignment;
  if (headerLength > longestHeader) {
    throw invalid('the names and metadata do not fit in a header', {
      expected: `at most ${longestHeader} bytes`,
    });
  }
  const file = allocate(headerAlignment + headerLength + dataLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, headerAlignment);
  file.fill(0x20, headerAlignment + json.byteLength, headerAlignment + headerLength);
  let position = headerAlignment + headerLength;
  for (const [, { data }] of ordered) {
    file.set(data, position);
    position += data.byteLength;
  }
  return file;
}

function orderArrays(
  arrays: Iterable<readonly [string, NamedArray]>,
): readonly (readonly [string, NamedArray])[] {
  const byName = new Map<string, NamedArray>();
  for (const [name, array] of arrays) {
    requireWellFormed(name);
    if (name === '__metadata__') throw invalid(`the array name ${quote(name)} is reserved by the format`);
    if (byName.has(name)) throw invalid(`two arrays are named ${quote(name)}`);
    requireMatchingData(name, array);
    byName.set(name, array);
  }
  const rank = ({ dtype }: NamedArray) => rankOf.get(dtype) ?? 0;
  return [...byName].sort(([aName, a], [bName, b]) => rank(a) - rank(b) || compareUtf8(aName, bName));
}

function requireMatchingData(name: string, { dtype, shape, data }: NamedArray): void {
  if (!rankOf.has(dtype)) {
    throw invalid(`array ${quote(name)} has a dtype that the format lacks`, { found: dtype });
  }
  const count = elementCount(shape);
  if (count === undefined || count * itemSizes[dtype] !== data.byteLength) {
    throw invalid(`the data of array ${quote(name)} does not have the size of its shape`, {
      expected: `the bytes of ${dtype} [${shape.join(', ')}]`,
      found: `${data.byteLength} bytes`,
    });
  }
}

function requireWellFormed(text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw invalid(`the string ${quote(text)} contains half a surrogate pair`);
}

/** The order of the reference implementation, which compares names as UTF-8 bytes; JavaScript compares UTF-16. */
function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The JSON of an object with its keys in this order: a JavaScript object would put integer-like keys first. */
function jsonObject(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
}

function allocate(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new GhostNetError(
      'GHOSTNET_OUT_OF_MEMORY',
      `A safetensors file of ${length} bytes does not fit in memory`,
      {
        cause,
      },
    );
  }
}

function invalid(what: string, details: ErrorDetails = {}): GhostNetError {
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `Cannot write safetensors: ${what}`, details);
}
