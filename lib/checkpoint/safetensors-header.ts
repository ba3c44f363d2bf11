import { quote } from '../check/words.js';
import { maximumRank, mostArrays } from './array.js';
import type { Cursor } from './cursor.js';
import type { Sliced } from './slices.js';

/** One array as the header of a safetensors file describes it, not yet checked against the data. */
export interface HeaderEntry {
  readonly name: string;
  /** The offset of the entry in the file, for messages. */
  readonly offset: number;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Range of the data, relative to the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The most metadata keys; a header of this package has two. */
const mostMetadata = 10_000;

/** The keys that are read between two pauses. */
const keysPerSlice = 256;

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;
const doubleQuote = 0x22;
const backslash = 0x5c;
const zero = 0x30;
const nine = 0x39;

/**
 * Reads the JSON header of a safetensors file. JSON.parse would silently keep the last of two equal keys, so this parser reads
 * the few forms that a header may have, and no other JSON.
 */
export function* readHeader(cursor: Cursor): Sliced<Header> {
  const entries: HeaderEntry[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  if (cursor.peek() !== openBrace) throw cursor.fail('the header does not start with {');
  for (const { key, offset, index } of keysOf(cursor)) {
    if (index % keysPerSlice === 0) yield;
    if (key === '__metadata__') {
      metadata = yield* readMetadata(cursor);
      continue;
    }
    if (entries.length === mostArrays) throw cursor.fail(`there are more than ${mostArrays} arrays`);
    entries.push(readEntry(cursor, key, offset));
  }
  skipSpace(cursor);
  if (cursor.remaining > 0) throw cursor.fail('unexpected bytes follow the JSON of the header');
  return { entries, metadata };
}

function* readMetadata(cursor: Cursor): Sliced<Readonly<Record<string, string>>> {
  const pairs: [string, string][] = [];
  for (const { key, index } of keysOf(cursor)) {
    if (index % keysPerSlice === 0) yield;
    if (index === mostMetadata) throw cursor.fail(`there are more than ${mostMetadata} metadata keys`);
    pairs.push([key, readString(cursor)]);
  }
  // fromEntries defines each key as an own property, even __proto__.
  return Object.fromEntries(pairs);
}

function readEntry(cursor: Cursor, name: string, offset: number): HeaderEntry {
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let range: readonly number[] | undefined;
  for (const { key, offset: keyOffset } of keysOf(cursor)) {
    if (key === 'dtype') dtype = readString(cursor);
    else if (key === 'shape') shape = readIntegers(cursor, maximumRank);
    else if (key === 'data_offsets') range = readIntegers(cursor, 2);
    else throw cursor.fail(`array ${quote(name)} has the unknown field ${quote(key)}`, {}, keyOffset);
  }
  const begin = range?.[0];
  const end = range?.[1];
  if (dtype === undefined || shape === undefined || begin === undefined || end === undefined) {
    throw cursor.fail(`array ${quote(name)} is described incompletely`, {
      expected: 'dtype, shape and two data_offsets',
    });
  }
  return { name, offset, dtype, shape, begin, end };
}

interface Key {
  readonly key: string;
  readonly offset: number;
  readonly index: number;
}

/** The keys of an object, which must be unique; the value of each must be read before the next. */
function* keysOf(cursor: Cursor): Generator<Key, void, undefined> {
  const keys = new Set<string>();
  expect(cursor, openBrace);
  if (accept(cursor, closeBrace)) return;
  do {
    skipSpace(cursor);
    const offset = cursor.position;
    const key = readString(cursor);
    if (keys.has(key)) throw cursor.fail(`the header has the key ${quote(key)} twice`, {}, offset);
    expect(cursor, colon);
    yield { key, offset, index: keys.size };
    keys.add(key);
  } while (accept(cursor, comma));
  expect(cursor, closeBrace);
}

function readIntegers(cursor: Cursor, most: number): readonly number[] {
  const values: number[] = [];
  expect(cursor, openBracket);
  if (accept(cursor, closeBracket)) return values;
  do {
    if (values.length === most) throw cursor.fail(`a list has more than ${most} numbers`);
    values.push(readInteger(cursor));
  } while (accept(cursor, comma));
  expect(cursor, closeBracket);
  return values;
}

/** A non-negative integer: a JSON number without sign, fraction, exponent or leading zero. */
function readInteger(cursor: Cursor): number {
  skipSpace(cursor);
  const start = cursor.position;
  let value = 0;
  for (let byte = cursor.peek(); byte !== undefined && byte >= zero && byte <= nine; byte = cursor.peek()) {
    value = value * 10 + (byte - zero);
    cursor.position += 1;
    if (!Number.isSafeInteger(value)) throw cursor.fail('a number is too large', {}, start);
  }
  const digits = cursor.position - start;
  const leadingZero = digits > 1 && cursor.bytes[start] === zero;
  if (digits === 0 || leadingZero)
    throw cursor.fail('a number is not a plain non-negative integer', {}, start);
  return value;
}

function readString(cursor: Cursor): string {
  expect(cursor, doubleQuote);
  const start = cursor.position;
  let escaped = false;
  let at = start;
  for (; ; at += 1) {
    if (at >= cursor.end) throw cursor.fail('a string of the header does not end', {}, start);
    const byte = cursor.bytes[at] ?? 0;
    if (byte === doubleQuote) break;
    if (byte < 0x20) throw cursor.fail('a string of the header contains a control character', {}, at);
    if (byte === backslash) {
      escaped = true;
      at += 1;
    }
  }
  const raw = cursor.text(at - start);
  cursor.position += 1;
  if (!escaped) return raw;
  const value = unescape(cursor, raw, start);
  if (/\p{Surrogate}/u.test(value)) throw cursor.fail('a string contains half a surrogate pair', {}, start);
  return value;
}

function unescape(cursor: Cursor, raw: string, offset: number): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    throw cursor.fail('a string of the header has an invalid escape', {}, offset);
  }
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const byte = cursor.peek();
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return;
    cursor.position += 1;
  }
}

function accept(cursor: Cursor, wanted: number): boolean {
  skipSpace(cursor);
  if (cursor.peek() !== wanted) return false;
  cursor.position += 1;
  return true;
}

function expect(cursor: Cursor, wanted: number): void {
  if (!accept(cursor, wanted)) {
    throw cursor.fail('the header is not the JSON of a safetensors file', {
      expected: quote(String.fromCharCode(wanted)),
    });
  }
}
