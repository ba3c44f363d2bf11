import type { ArrayDType } from './types.js';

/** Bytes of one element. */
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

/** More axes than any array of a network has; PyTorch itself stops at 64. */
export const maximumRank = 64;

/**
 * The number of elements of a shape.
 *
 * @returns `undefined` when the shape has too many axes, an axis is not a non-negative integer, or the product is
 *   too large to be exact
 */
export function elementCount(shape: readonly number[]): number | undefined {
  if (shape.length > maximumRank) return undefined;
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return undefined;
  // An axis of size 0 empties the array, whatever the others multiply to.
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** The same bytes without the methods of a Buffer, whose `subarray` would make every array one too. */
export function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
