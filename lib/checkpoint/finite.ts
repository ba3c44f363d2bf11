import { itemSizes } from './array.js';
import type { Sliced } from './slices.js';
import type { ArrayDType, NamedArray } from './types.js';

/** The bytes that are counted between two pauses. */
const chunkBytes = 1 << 20;

/** The numbers of a piece of memory that float32 can only hold as NaN or infinity. */
type Count = (buffer: ArrayBufferLike, offset: number, length: number) => number;

const counters: Partial<Record<ArrayDType, Count>> = {
  float32: (buffer, offset, length) => countOnes(new Int32Array(buffer, offset, length), 0x7fffffff, 23),
  float16: (buffer, offset, length) => countOnes(new Int16Array(buffer, offset, length), 0x7fff, 10),
  bfloat16: (buffer, offset, length) => countOnes(new Int16Array(buffer, offset, length), 0x7fff, 7),
  float64: (buffer, offset, length) => countLarge(new Float64Array(buffer, offset, length)),
};

/**
 * Counts the numbers whose exponents are all ones, by their bits.
 *
 * @param mask - all bits but the sign
 * @param place - of the exponent's lowest bit
 */
function countOnes(values: Int32Array | Int16Array, mask: number, place: number): number {
  const lowest = 1 << place;
  // Nearly always there are none. A sum and no comparison is twice as fast: of all ones, it carries into the sign.
  let [carries, others] = [0, 0];
  const { length } = values;
  for (let index = 0; index + 1 < length; index += 2) {
    carries |= ((values[index] ?? 0) & mask) + lowest;
    others |= ((values[index + 1] ?? 0) & mask) + lowest;
  }
  carries |= others | (((values[length - 1] ?? 0) & mask) + lowest);
  if ((carries & ~mask) === 0) return 0;
  const exponent = mask & -lowest;
  let count = 0;
  for (let index = 0; index < length; index += 1) {
    if (((values[index] ?? 0) & exponent) === exponent) count += 1;
  }
  return count;
}

/** The least double that rounds to infinity in float32: halfway between its largest number and 2^128. */
const tooLarge = 2 ** 128 - 2 ** 103;

function countLarge(values: Float64Array): number {
  let count = 0;
  const { length } = values;
  for (let index = 0; index < length; index += 1) {
    if (!(Math.abs(values[index] ?? 0) < tooLarge)) count += 1;
  }
  return count;
}

/**
 * Counts, in each floating-point array, the numbers that are not finite in float32. However many arrays are views of the same
 * bytes, each byte is read once.
 *
 * @returns the arrays that have any, in the order of the file
 */
export function* countNotFinite(
  arrays: ReadonlyMap<string, NamedArray>,
): Sliced<ReadonlyMap<string, number>> {
  const groups = new Map<ArrayBufferLike, Map<string, NamedArray[]>>();
  for (const array of arrays.values()) {
    const { dtype, data } = array;
    if (counters[dtype] === undefined || data.byteLength === 0) continue;
    const kinds = groups.get(data.buffer) ?? new Map<string, NamedArray[]>();
    const kind = `${dtype} ${data.byteOffset % itemSizes[dtype]}`;
    const group = kinds.get(kind) ?? [];
    group.push(array);
    groups.set(data.buffer, kinds.set(kind, group));
  }
  const counts = new Map<NamedArray, number>();
  for (const kinds of groups.values()) {
    for (const group of kinds.values()) yield* countGroup(group, counts);
  }
  const found = new Map<string, number>();
  for (const [name, array] of arrays) {
    const count = counts.get(array) ?? 0;
    if (count > 0) found.set(name, count);
  }
  return found;
}

/** Counts in arrays of one dtype in one buffer, by the sum over all that lies before each place where one begins or ends. */
function* countGroup(group: readonly NamedArray[], counts: Map<NamedArray, number>): Sliced<void> {
  const depths = new Map<number, number>();
  for (const { data } of group) {
    const end = data.byteOffset + data.byteLength;
    depths.set(data.byteOffset, (depths.get(data.byteOffset) ?? 0) + 1);
    depths.set(end, (depths.get(end) ?? 0) - 1);
  }
  const [first] = group;
  if (first === undefined) return;
  const before = new Map<number, number>();
  let [sum, depth, last] = [0, 0, 0];
  for (const place of [...depths.keys()].sort((a, b) => a - b)) {
    if (depth > 0) sum += yield* countBytes(first, last, place);
    before.set(place, sum);
    depth += depths.get(place) ?? 0;
    last = place;
  }
  for (const array of group) {
    const { byteOffset, byteLength } = array.data;
    counts.set(array, (before.get(byteOffset + byteLength) ?? 0) - (before.get(byteOffset) ?? 0));
  }
}

function* countBytes({ dtype, data: { buffer } }: NamedArray, start: number, end: number): Sliced<number> {
  const counter = counters[dtype];
  if (counter === undefined) return 0;
  const size = itemSizes[dtype];
  let count = 0;
  for (let offset = start; offset < end; offset += chunkBytes) {
    const length = Math.min(chunkBytes, end - offset);
    // A typed array of wider elements has to be aligned to them.
    count +=
      offset % size === 0
        ? counter(buffer, offset, length / size)
        : counter(new Uint8Array(buffer, offset, length).slice().buffer, 0, length / size);
    yield;
  }
  return count;
}
