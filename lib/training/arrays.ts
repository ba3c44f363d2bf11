import type { NamedArray } from '../checkpoint/index.js';
import type { NativeArray, NativeState, NativeTensor } from '../native/addon.js';

/** A tensor as an array of a weights file, over the same memory. */
export function arrayOf({ dtype, shape, buffer }: NativeTensor): NamedArray {
  return { dtype, shape, data: new Uint8Array(buffer) };
}

/** Arrays in the form that native code takes. */
export function nativeArrays(arrays: Iterable<readonly [string, NamedArray]>): NativeArray[] {
  return Array.from(arrays, ([name, array]) => ({ name, ...array }));
}

/** The arrays whose names begin with the prefix, without it. */
export function partOf(
  arrays: Iterable<readonly [string, NamedArray]>,
  prefix: string,
): Map<string, NamedArray> {
  const part = new Map<string, NamedArray>();
  for (const [name, array] of arrays) if (name.startsWith(prefix)) part.set(name.slice(prefix.length), array);
  return part;
}

export function disposeAll(state: NativeState): void {
  for (const [, tensor] of state) tensor.dispose();
}
