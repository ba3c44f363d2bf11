import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { elementCount, itemSizes } from '../../../lib/checkpoint/array.js';
import { readCheckpoint, type Checkpoint } from '../../../lib/checkpoint/index.js';
import { Opcode } from '../../../lib/checkpoint/pickle-opcodes.js';
import { finish } from '../../../lib/checkpoint/slices.js';
import { readZipDirectory } from '../../../lib/checkpoint/zip-directory.js';
import { readStoredEntries } from '../../../lib/checkpoint/zip-entries.js';
import type { ErrorCode } from '../../../lib/errors.js';
import { u32, u64 } from '../../fixtures/checkpoint/pickle-writer.js';
import { zip } from '../../fixtures/checkpoint/zip-writer.js';
import { blind, edges, editNumber, editText, mutate, wideEdges, type Mutation } from './mutations.js';
import type { Target } from './target.js';

/** Overwrites a field at an offset in a zip record, which is found by its signature. */
const editZipRecord: Mutation = (bytes, random) => {
  const records: readonly (readonly [signature: string, size: number])[] = [
    ['PK\x03\x04', 30],
    ['PK\x01\x02', 46],
    ['PK\x07\x08', 16],
    ['PK\x05\x06', 22],
    ['PK\x06\x06', 56],
    ['PK\x06\x07', 20],
  ];
  const [signature, size] = random.pick(records);
  const starts: number[] = [];
  for (
    let at = bytes.indexOf(signature, 0, 'latin1');
    at >= 0;
    at = bytes.indexOf(signature, at + 1, 'latin1')
  ) {
    starts.push(at);
  }
  if (starts.length === 0) return random.pick(blind)(bytes, random);
  const field = random.pick(starts) + 4 + 2 * random.below((size - 4) / 2);
  u32(random.pick([...edges, random.pick(starts), bytes.length])).copy(bytes, field, 0, random.pick([2, 4]));
  return bytes;
};

const opcodes = Object.values(Opcode);

/** Replaces bytes with opcodes, or inserts opcodes between them. */
const editPickle: Mutation = (bytes, random) => {
  const inserted = Buffer.from(Array.from({ length: 1 + random.below(4) }, () => random.pick(opcodes)));
  // Half of the edits hit a byte that is an opcode or looks like one.
  let at = random.below(bytes.length);
  if (random.oneIn(2)) {
    const found = bytes.indexOf(random.pick(opcodes), at);
    if (found >= 0) at = found;
  }
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + random.below(3))]);
};

/** Changes the pickle or a storage of a zip archive, and rewrites the archive so that its CRC is right. */
const editInsideZip: Mutation = (bytes, random) => {
  let entries: { name: string; data: Buffer }[];
  try {
    const directory = finish(readZipDirectory(bytes, 'seed'));
    entries = [...finish(readStoredEntries(bytes, directory, 'seed'))].map(([name, data]) => ({
      name,
      data: Buffer.from(data),
    }));
  } catch {
    return random.pick(blind)(bytes, random); // an earlier mutation has damaged it
  }
  const pickle = entries.find(({ name }) => name.endsWith('/data.pkl'));
  const target = pickle !== undefined && !random.oneIn(8) ? pickle : entries[random.below(entries.length)];
  const mutation = random.pick([editPickle, editPickle, ...blind]);
  return zip(
    entries.map((entry) =>
      entry === target && entry.data.length > 0 ? { ...entry, data: mutation(entry.data, random) } : entry,
    ),
  );
};

/** Keeps most edits of a legacy file within its pickles, which come first. */
const editLegacyPickles: Mutation = (bytes, random) => {
  const length = Math.min(bytes.length, 64 + random.below(bytes.length));
  return Buffer.concat([
    random.pick([editPickle, ...blind])(bytes.subarray(0, length), random),
    bytes.subarray(length),
  ]);
};

const lengthOf = (bytes: Buffer): number => (bytes.length < 8 ? 0 : bytes.readUInt32LE());

const editHeaderLength: Mutation = (bytes, random) => {
  const length = lengthOf(bytes);
  const near = [bytes.length, Math.max(0, length - 1), length + 1, length + 8];
  u64(random.pick([...wideEdges, 100_000_000, 100_000_001, ...near])).copy(bytes);
  return bytes;
};

const headerWords = [
  ...['{', '}', '[', ']', ',', ':', '""', '"\\u0000"', '"dtype"', '"F64"', '"__metadata__"', ' '],
  ...['-1', '1e9', 'null', '0', '4', '9007199254740992', '18446744073709551615'],
];
const editJson = editText(headerWords, /(\d+|"[^"]*"|[{}[\],:])/);

/** Changes the header of a safetensors file as text, and corrects its length. */
const editHeader: Mutation = (bytes, random) => {
  const length = lengthOf(bytes);
  const edit = random.oneIn(2) ? editNumber : editJson;
  const edited = edit(bytes.subarray(8, 8 + length), random);
  return Buffer.concat([u64(edited.length), edited, bytes.subarray(8 + length)]);
};

/** The results allowed for a hostile file: whole arrays, as views of the file or as copies no larger than it. */
function requireSound(bytes: Uint8Array, { arrays }: Checkpoint): void {
  let copied = 0;
  for (const { dtype, shape, data } of arrays.values()) {
    if (data.byteLength !== (elementCount(shape) ?? NaN) * itemSizes[dtype])
      throw new Error('An array is not whole');
    if (data.buffer !== bytes.buffer) copied += data.byteLength;
  }
  if (copied > bytes.byteLength) throw new Error(`${copied} bytes were copied out of ${bytes.byteLength}`);
}

const codes: readonly ErrorCode[] = [
  'GHOSTNET_MALFORMED_FILE',
  'GHOSTNET_UNSUPPORTED_FORMAT',
  'GHOSTNET_UNKNOWN_FORMAT',
  'GHOSTNET_INVALID_ARGUMENT', // the file lacks the weights that were asked for
  'GHOSTNET_PARAMETERS_MISMATCH', // it holds several networks
];

const folder = join('test', 'fixtures', 'checkpoint', 'files');

function target(name: string, files: readonly string[], mutations: readonly Mutation[]): Target {
  const seeds = files.map((file) => readFileSync(join(folder, file)));
  return {
    name,
    share: 4,
    codes,
    make: (random) => mutate(seeds, mutations, random),
    parse: (input) => {
      const weights = (['auto', 'raw', 'auto', 'ema'] as const)[input.length % 4] ?? 'auto';
      requireSound(input, readCheckpoint(input, { weights }));
      return undefined;
    },
  };
}

export const checkpoints: readonly Target[] = [
  target(
    'zip',
    [
      ...['plain-p2.zip', 'plain-p4.zip', 'layouts.zip', 'empty.zip', 'training.zip', 'dtypes.zip'],
      ...['quantised-zip.refused', 'torchscript.refused', 'exported.refused'],
    ],
    [...blind, editZipRecord, editZipRecord, editZipRecord, editInsideZip, editInsideZip, editInsideZip],
  ),
  target(
    'legacy',
    [
      ...['plain-p2.legacy', 'plain-p5.legacy', 'layouts.legacy', 'empty.legacy', 'training.legacy'],
      ...['dtypes.legacy', 'plain-pickle.refused', 'sparse-legacy.refused', 'whole-model-legacy.refused'],
    ],
    [...blind, editPickle, editLegacyPickles, editLegacyPickles],
  ),
  target(
    'safetensors',
    ['dtypes.safetensors', 'numpy.safetensors', 'parallel.safetensors', 'float8.refused'],
    [...blind, editHeaderLength, editHeader, editHeader, editHeader],
  ),
  { ...target('other files', ['tar.refused', 'numpy.refused', 'float8.refused'], blind), share: 1 },
];
