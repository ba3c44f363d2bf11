import { types } from 'node:util';

// What an array says of itself is not what a subclass of it, or an object in its prototype chain, makes it say.

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

function getterOf(name: 'buffer' | 'byteOffset' | 'byteLength' | 'length' | typeof Symbol.toStringTag) {
  const property = Object.getOwnPropertyDescriptor(prototype, name);
  return (array: unknown): unknown => property?.get?.call(array);
}

const bufferGetter = getterOf('buffer');
const offsetGetter = getterOf('byteOffset');
const byteLengthGetter = getterOf('byteLength');
const lengthGetter = getterOf('length');
const nameGetter = getterOf(Symbol.toStringTag);

/** The name of the class of a typed array, of this realm or another; undefined for any other value. */
export function typedArrayName(value: unknown): string | undefined {
  return nameGetter(value) as string | undefined;
}

/** The number of elements of a typed array. */
export function elementsIn(array: ArrayBufferView): number {
  return lengthGetter(array) as number;
}

/** Whether the memory of a typed array can be seen by other threads. */
export function isShared(array: ArrayBufferView): boolean {
  return types.isSharedArrayBuffer(bufferGetter(array));
}

/** The bytes of a typed array in its memory, as an array of no subclass; undefined if the memory was transferred. */
export function plainBytes(array: ArrayBufferView): Uint8Array | undefined {
  try {
    const buffer = bufferGetter(array) as ArrayBufferLike;
    return new Uint8Array(buffer, offsetGetter(array) as number, byteLengthGetter(array) as number);
  } catch {
    return undefined;
  }
}
