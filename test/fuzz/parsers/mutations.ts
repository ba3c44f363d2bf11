import { u32, u64 } from '../../fixtures/checkpoint/pickle-writer.js';
import type { Random } from './random.js';

/** Changes an input, which it may overwrite and which is not empty. */
export type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** The most bytes of an input, which only {@link grow} and its successors reach. */
const longest = 1 << 18;

export const edges: readonly number[] = [
  0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
];
export const wideEdges: readonly bigint[] = [
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
  const wide = random.oneIn(3);
  const value = wide ? u64(random.pick(wideEdges)) : u32(random.pick(edges));
  value.subarray(0, random.pick([2, 4, 8])).copy(bytes, random.below(bytes.length));
  return bytes;
};

/** Repeats a part up to a few hundred kilobytes: what takes more than its share of time or memory shows only there. */
const grow: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  const part = bytes.subarray(at, at + 1 + random.below(96));
  const room = Math.max(0, longest - bytes.length);
  const times = Math.floor(room / part.length / 2 ** random.below(12));
  const grown = Buffer.alloc(bytes.length + times * part.length);
  bytes.copy(grown, 0, 0, at);
  grown.fill(part, at, at + times * part.length);
  bytes.copy(grown, at + times * part.length, at);
  return grown;
};

/** Mutations that know nothing of a format. */
export const blind: readonly Mutation[] = [
  flipBits,
  setBytes,
  truncate,
  drop,
  repeat,
  transplant,
  setInteger,
];

/** A mutated copy of one of the seeds. */
export function mutate(seeds: readonly Buffer[], mutations: readonly Mutation[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(random.pick(seeds));
  bytes = random.pick(mutations)(bytes, random);
  for (let more = random.pick([0, 0, 0, 1, 1, 3]); more > 0 && bytes.length > 0; more -= 1) {
    bytes = random.pick(random.oneIn(3) ? mutations : blind)(bytes, random);
  }
  return random.oneIn(100) && bytes.length > 0 ? grow(bytes, random) : bytes;
}

/** Replaces tokens of a text by others, or by words. @param tokens - what a token is */
export function editText(words: readonly string[], tokens = /("[^"]*"|[\w.+-]+|\s+)/): Mutation {
  return (bytes, random) => {
    const parts = bytes
      .toString('latin1')
      .split(tokens)
      .filter((part) => part !== '');
    for (let count = random.below(3); count >= 0 && parts.length > 0; count -= 1) {
      const replacement = random.pick([random.pick(words), random.pick(parts), random.pick(words)]);
      parts.splice(random.below(parts.length), random.below(3), replacement);
    }
    return Buffer.from(parts.join(''), 'latin1');
  };
}

/** Replaces a number of a text by another number of it, or by one at an edge: the text stays well formed. */
export const editNumber: Mutation = (bytes, random) => {
  const text = bytes.toString('latin1');
  const numbers = [...text.matchAll(/\d+/g)];
  if (numbers.length === 0) return random.pick(blind)(bytes, random);
  const { index, 0: old } = random.pick(numbers);
  const other = random.pick([random.pick(numbers)[0], String(random.pick(edges)), String(Number(old) + 1)]);
  return Buffer.from(text.slice(0, index) + other + text.slice(index + old.length), 'latin1');
};
