import type { ArrayDType } from './types.js';

/** Bytes per element. */
export const itemSizes: Readonly<Record<ArrayDType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** More than the deepest network that this package takes, and few enough to be described in a moment. */
export const mostArrays = 10_000;

/** More axes than an array of any network has; the limit of PyTorch is 64 too. */
export const maximumRank = 64;

/**
 * The number of elements of a shape.
 *
 * @returns `undefined` if the shape has too many axes, an axis is not a non-negative integer, or the product is
 *   too large to be exact
 */
export function elementCount(shape: readonly number[]): number | undefined {
  if (shape.length > maximumRank) return undefined;
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return undefined;
  // An axis of size 0 makes the array empty; the others still have to be countable, as in PyTorch.
  let count = 1;
  for (const size of shape) {
    if (size !== 0) count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return shape.includes(0) ? 0 : count;
}

/** The same bytes as a plain Uint8Array: the `subarray` of a Buffer would make every array a Buffer. */
export function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
