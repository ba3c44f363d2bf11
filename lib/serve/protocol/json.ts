import { isObject } from '../../check/json.js';
import { longestTimer } from '../../check/option.js';
import { inWords, messageOf, quote } from '../../check/words.js';
import { badRequest } from '../faults.js';

// Reading JSON that clients sent.

/** The most lists, objects and keys of a body, which take far more memory than their characters. */
const mostParts = 250_000;

/**
 * Parses the JSON object of a request.
 *
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`
 */
export function parseBody(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  if (text.split(/[[{:]/, mostParts + 1).length > mostParts) {
    throw badRequest('The JSON of the request has too many parts', {
      expected: `at most ${mostParts} lists, objects and keys; large tensors as binary data`,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw badRequest('The body of the request is not JSON', { found: quote(messageOf(cause)) });
  }
  if (isObject(parsed)) return parsed;
  throw badRequest('The JSON of the request is no object', { found: inWords(parsed) });
}

/** An object in a request; empty if it is left out. */
export function objectIn(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value;
  throw badRequest(`${what} has the wrong form`, { found: inWords(value), expected: 'an object' });
}

/** A list of objects in a request; undefined if it is left out. */
export function listIn(
  value: unknown,
  what: string,
): readonly Readonly<Record<string, unknown>>[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length <= 100 && value.every(isObject)) return value;
  throw badRequest(`${what} have the wrong form`, {
    found: Array.isArray(value) ? `a list of ${value.length}` : inWords(value),
    expected: 'a list of at most 100 objects',
  });
}

/** A string in a request. */
export function textIn(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw badRequest(`${what} is not a string`, { found: inWords(value) });
}

/** A whole number in a request that is not negative; undefined if it is left out. */
export function countIn(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw badRequest(`${what} has the wrong value`, {
    found: inWords(value),
    expected: 'a whole number of at least 0',
  });
}

/** The parameter timeout of a request, in microseconds, as Triton has it; in milliseconds, undefined for none and 0. */
export function timeoutIn(value: unknown): number | undefined {
  const timeout = countIn(value, 'The parameter timeout') ?? 0;
  return timeout === 0 ? undefined : Math.min(longestTimer, Math.ceil(timeout / 1000));
}

/** The lengths of a tensor. */
export function shapeIn(value: unknown, what: string): readonly number[] {
  const isShape = Array.isArray(value) && value.length > 0 && value.length <= 8 && value.every(isLength);
  if (isShape) return value as number[];
  throw badRequest(`The shape of ${what} has the wrong form`, {
    found: Array.isArray(value) ? `[${value.slice(0, 9).map(inWords).join(',')}]` : inWords(value),
    expected: '1 to 8 whole numbers of at least 1',
  });
}

const isLength = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;
