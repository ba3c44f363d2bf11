import { nameInWords } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import type { Sliced } from './slices.js';
import type { NamedArray } from './types.js';

/** The dtypes in which weights can be saved. */
export const savedDTypes = ['float32', 'float16', 'bfloat16'] as const;
export type SavedDType = (typeof savedDTypes)[number];

/** The elements that are rounded between two pauses. */
const perSlice = 1 << 16;

/** A narrower dtype than float32. */
interface Narrow {
  /** From the bits of a float32 to those of the nearest number, which is infinity for one too large. */
  readonly round: (bits: number) => number;
  readonly infinity: number;
}

const infinity = 0x7f800000;

/** Cuts bits off: to the nearest, and of two as near to the one with an even last bit. */
function cutToEven(bits: number, cut: number): number {
  return (bits + (1 << (cut - 1)) - 1 + ((bits >>> cut) & 1)) >>> cut;
}

const toBfloat16: Narrow['round'] = (bits) => {
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >>> 16) & 0x8000;
  if (magnitude > infinity) return sign | 0x7fc0;
  return sign | cutToEven(magnitude, 16);
};

const toFloat16: Narrow['round'] = (bits) => {
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >>> 16) & 0x8000;
  if (magnitude > infinity) return sign | 0x7e00;
  // From half a step above the largest number on.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  const exponent = magnitude >>> 23;
  // Normal numbers: the exponent's bias changes from 127 to 15, and 13 bits of the fraction are cut.
  if (exponent > 112) return sign | cutToEven(magnitude - (112 << 23), 13);
  // Subnormal ones are multiples of 2^-24, below half of which there is nothing.
  if (exponent < 102) return sign;
  return sign | cutToEven((magnitude & 0x7fffff) | 0x800000, 126 - exponent);
};

const narrow: Readonly<Record<Exclude<SavedDType, 'float32'>, Narrow>> = {
  float16: { round: toFloat16, infinity: 0x7c00 },
  bfloat16: { round: toBfloat16, infinity: 0x7f80 },
};

/**
 * Rounds the float32 arrays of a network to a narrower dtype, to the nearest even. Arrays of other dtypes, the counters, are left.
 *
 * @throws GhostNetError `GHOSTNET_INVALID_ARGUMENT` if a finite number becomes infinite
 */
export function* narrowArrays(
  arrays: readonly (readonly [string, NamedArray])[],
  dtype: SavedDType,
): Sliced<readonly (readonly [string, NamedArray])[]> {
  if (dtype === 'float32') return arrays;
  const rounded: (readonly [string, NamedArray])[] = [];
  for (const [name, array] of arrays) {
    const isFloat = array.dtype === 'float32';
    rounded.push([name, isFloat ? { ...array, dtype, data: yield* narrowed(name, array, dtype) } : array]);
  }
  return rounded;
}

function* narrowed(name: string, { data }: NamedArray, dtype: 'float16' | 'bfloat16'): Sliced<Uint8Array> {
  const { round, infinity: narrowInfinity } = narrow[dtype];
  // The elements may lie at any alignment.
  const bits = new Uint32Array(data.slice().buffer);
  const halves = new Uint16Array(bits.length);
  for (let start = 0; start < bits.length; start += perSlice) {
    const end = Math.min(start + perSlice, bits.length);
    for (let index = start; index < end; index += 1) {
      const value = bits[index] ?? 0;
      const half = round(value);
      if ((half & 0x7fff) === narrowInfinity && (value & 0x7fffffff) !== infinity) {
        throw tooLarge(name, value, dtype);
      }
      halves[index] = half;
    }
    yield;
  }
  return new Uint8Array(halves.buffer);
}

function tooLarge(name: string, bits: number, dtype: string): GhostNetError {
  const [value] = new Float32Array(Uint32Array.of(bits).buffer);
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `The weights do not fit in ${dtype}`, {
    found: `${value} in ${nameInWords(name)}`,
    expected: `numbers up to ${dtype === 'float16' ? 65504 : 3.38953139e38}`,
    remedy: dtype === 'float16' ? "Pass dtype: 'bfloat16' or 'float32'." : "Pass dtype: 'float32'.",
  });
}
