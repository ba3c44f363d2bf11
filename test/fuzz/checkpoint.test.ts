import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { elementCount, itemSizes } from '../../lib/checkpoint/array.js';
import { readCheckpoint, type Checkpoint } from '../../lib/checkpoint/index.js';
import { Opcode } from '../../lib/checkpoint/pickle-opcodes.js';
import { readStoredEntries, readZipDirectory } from '../../lib/checkpoint/zip.js';
import { GhostNetError } from '../../lib/errors.js';
import { u32, u64 } from '../fixtures/checkpoint/pickle-writer.js';
import { zip } from '../fixtures/checkpoint/zip-writer.js';

/** Set GHOSTNET_FUZZ_SEED to repeat a failure or to try other mutations. */
const seed = Number(process.env.GHOSTNET_FUZZ_SEED ?? 20200326);
const filesPerContainer = 7_000;
const longestRead = 1_000;
const mostMemory = 512 * 1024;

/** Random numbers, repeatable by a seed: mulberry32. */
class Random {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('Nothing to pick from');
    return item;
  }
}

/** Changes a file, which it may overwrite. */
type Mutation = (bytes: Buffer, random: Random) => Buffer;

const edges = [0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const wideEdges = [
  0n,
  1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const flipBits: Mutation = (bytes, random) => {
  for (let count = random.below(4); count >= 0; count -= 1) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
};
const setBytes: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return bytes.fill(random.pick(edges) & 0xff, at, Math.min(at + 1 + random.below(8), bytes.length));
};
const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length));
const drop: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64))]);
};
const repeat: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  const part = bytes.subarray(at, at + 1 + random.below(256));
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
};
const transplant: Mutation = (bytes, random) => {
  const part = bytes.subarray(random.below(bytes.length)).subarray(0, random.below(64));
  return Buffer.concat([
    bytes.subarray(0, random.below(bytes.length)),
    part,
    bytes.subarray(random.below(bytes.length)),
  ]);
};
const setInteger: Mutation = (bytes, random) => {
  const wide = random.below(3) === 0;
  const value = wide ? u64(random.pick(wideEdges)) : u32(random.pick(edges));
  value.subarray(0, random.pick([2, 4, 8])).copy(bytes, random.below(bytes.length));
  return bytes;
};
const blind: readonly Mutation[] = [flipBits, setBytes, truncate, drop, repeat, transplant, setInteger];

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
  if (starts.length === 0) return flipBits(bytes, random);
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
  if (random.below(2) === 0) {
    const wanted = random.pick(opcodes);
    const found = bytes.indexOf(wanted, at);
    if (found >= 0) at = found;
  }
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + random.below(3))]);
};

/** Changes the pickle or a storage of a zip archive, and rewrites the archive so that its CRC is right. */
const editInsideZip: Mutation = (bytes, random) => {
  const directory = readZipDirectory(bytes, 'seed');
  const entries = [...readStoredEntries(bytes, directory, 'seed')].map(([name, data]) => ({
    name,
    data: Buffer.from(data),
  }));
  const pickle = entries.find(({ name }) => name.endsWith('/data.pkl'));
  const target = pickle !== undefined && random.below(8) > 0 ? pickle : random.pick(entries);
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

const editHeaderLength: Mutation = (bytes, random) => {
  const length = bytes.readUInt32LE();
  u64(
    random.pick([...wideEdges, 100_000_000, 100_000_001, bytes.length, length - 1, length + 1, length + 8]),
  ).copy(bytes);
  return bytes;
};

/** Changes the header of a safetensors file as text, and corrects its length. */
const editHeader: Mutation = (bytes, random) => {
  const length = bytes.readUInt32LE();
  const header = bytes.subarray(8, 8 + length).toString('latin1');
  const tokens = header.split(/(\d+|"[^"]*"|[{}[\],:])/).filter((token) => token !== '');
  const at = random.below(tokens.length);
  const words = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '""',
    '"\\u0000"',
    '"dtype"',
    '"F64"',
    '-1',
    '1e9',
    'null',
    '0',
    '4',
    '9007199254740992',
    ' ',
  ];
  const replacement = random.pick([random.pick(words), random.pick(tokens), String(random.pick(wideEdges))]);
  tokens.splice(at, random.below(3), replacement);
  const edited = Buffer.from(tokens.join(''), 'latin1');
  return Buffer.concat([u64(edited.length), edited, bytes.subarray(8 + length)]);
};

const containers: readonly (readonly [
  name: string,
  seeds: readonly string[],
  mutations: readonly Mutation[],
])[] = [
  [
    'zip',
    ['plain-p2.zip', 'plain-p4.zip', 'layouts.zip', 'empty.zip', 'training.zip', 'quantised-zip.refused'],
    [...blind, editZipRecord, editZipRecord, editZipRecord, editInsideZip, editInsideZip, editInsideZip],
  ],
  [
    'legacy',
    [
      'plain-p2.legacy',
      'plain-p5.legacy',
      'layouts.legacy',
      'empty.legacy',
      'training.legacy',
      'plain-pickle.refused',
    ],
    [...blind, editPickle, editLegacyPickles, editLegacyPickles],
  ],
  [
    'safetensors',
    ['dtypes.safetensors', 'numpy.safetensors', 'parallel.safetensors'],
    [...blind, editHeaderLength, editHeader, editHeader, editHeader],
  ],
];

const folder = new URL('../fixtures/checkpoint/files/', import.meta.url);

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

describe(`mutated weights files (seed ${seed})`, () => {
  it.each(containers)(
    'of the %s container end in a checkpoint or an error with a code',
    (name, files, mutations) => {
      const random = new Random(seed);
      const seeds = files.map((file) => readFileSync(new URL(file, folder)));
      const memoryBefore = process.resourceUsage().maxRSS;
      const outcomes = new Map<string, number>();
      for (let index = 0; index < filesPerContainer; index += 1) {
        let bytes: Buffer = Buffer.from(random.pick(seeds));
        bytes = random.pick(mutations)(bytes, random);
        if (random.below(4) === 0 && bytes.length > 0) bytes = random.pick(blind)(bytes, random);
        const started = performance.now();
        let outcome = 'read';
        try {
          requireSound(
            bytes,
            readCheckpoint(bytes, { weights: random.pick(['auto', 'auto', 'raw', 'ema']) }),
          );
        } catch (error) {
          if (!(error instanceof GhostNetError)) {
            throw new Error(`${name}: file ${index} of seed ${seed} fails: ${bytes.toString('base64')}`, {
              cause: error,
            });
          }
          outcome = error.code;
        }
        const took = performance.now() - started;
        if (took > longestRead) throw new Error(`${name}: file ${index} of seed ${seed} takes ${took} ms`);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      // The mutations are useful only if they reach deep: some files must pass, and most must not.
      expect(outcomes.get('read'), String([...outcomes])).toBeGreaterThan(filesPerContainer / 50);
      expect(outcomes.get('GHOSTNET_MALFORMED_FILE'), String([...outcomes])).toBeGreaterThan(
        filesPerContainer / 4,
      );
      expect(process.resourceUsage().maxRSS - memoryBefore).toBeLessThan(mostMemory);
      if (process.env.GHOSTNET_FUZZ_SEED !== undefined) console.log(name, [...outcomes]);
    },
    120_000,
  );
});
