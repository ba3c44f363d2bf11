import type { ReadableStream } from 'node:stream/web';
import { types } from 'node:util';

// By what a value is, not by instanceof: values of another realm, as in a test runner or a node:vm context, have other classes.

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** Whether a value has the tag of a class of the web platform, and a property that tells it from an object that only says so. */
function isTagged(value: unknown, tags: readonly string[], property: string): boolean {
  try {
    return typeof value === 'object' && value !== null && tags.includes(tagOf(value)) && property in value;
  } catch {
    return false; // a proxy whose traps throw
  }
}

/** A URL object of any realm. */
export function isUrl(value: unknown): value is URL {
  return isTagged(value, ['URL'], 'href');
}

/** A Blob or a File of any realm. */
export function isBlob(value: unknown): value is Blob {
  return isTagged(value, ['Blob', 'File'], 'size');
}

/** A web stream of any realm. */
export function isWebStream(value: unknown): value is ReadableStream {
  return isTagged(value, ['ReadableStream'], 'getReader');
}

/** An AbortSignal of any realm, whose state can be read. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  try {
    return (
      isTagged(value, ['AbortSignal'], 'addEventListener') &&
      typeof (value as AbortSignal).aborted === 'boolean'
    );
  } catch {
    return false; // a proxy of a signal
  }
}

/** An error of any realm. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || isTagged(value, ['DOMException', 'Error'], 'message');
}

/** The error of a length or number that is out of range, of any realm. */
export function isRangeError(value: unknown): value is RangeError {
  return types.isNativeError(value) && value.name === 'RangeError';
}
