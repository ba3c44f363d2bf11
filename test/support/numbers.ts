/** Numbers in [-1, 1) that are the same in each run: a linear congruential generator (Numerical Recipes). */
export function noise(length: number, seed = 1): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Bytes that are the same in each run. */
export function noiseBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(noise(length, seed), (value) => Math.floor((value + 1) * 128));
}

/** The largest difference between two arrays, divided by the largest of the second. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values, not ${expected.length}`);
  let difference = 0;
  let largest = 0;
  for (let index = 0; index < expected.length; ++index) {
    const wanted = expected[index] ?? NaN;
    // NaN compares false with everything and would pass unnoticed.
    const apart = Math.abs((actual[index] ?? NaN) - wanted);
    difference = Number.isNaN(apart) ? Infinity : Math.max(difference, apart);
    largest = Math.max(largest, Math.abs(wanted));
  }
  return largest === 0 ? difference : difference / largest;
}

/** Mean and largest difference between two arrays. */
export function differences(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): { mean: number; largest: number } {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values, not ${expected.length}`);
  let sum = 0;
  let largest = 0;
  for (let index = 0; index < expected.length; ++index) {
    const apart = Math.abs((actual[index] ?? NaN) - (expected[index] ?? NaN));
    sum += apart;
    largest = Math.max(largest, apart);
  }
  return { mean: sum / expected.length, largest };
}
