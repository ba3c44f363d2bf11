import { GhostNetError } from '../errors.js';
import { inWords } from './words.js';

// All throw `GHOSTNET_INVALID_ARGUMENT`. An undefined option counts as omitted; arguments are required.

/** The error for an argument of the wrong type or with a value out of range. */
export function invalidArgument(what: string, value: unknown, expected: string): GhostNetError {
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', what, { found: inWords(value), expected });
}

/** Checks that an argument is an object, before one of its properties is read. */
export function checkObject(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return;
  throw invalidArgument(`The argument ${name} is not an object`, value, 'an object');
}

/** Checks that an argument is a string. */
export function checkText(name: string, value: unknown): void {
  if (typeof value === 'string') return;
  throw invalidArgument(`The argument ${name} is not a string`, value, 'a string');
}

/** Checks an option that takes a number from `least` to `most`. */
export function checkNumber(
  name: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
  kind: 'a whole number' | 'a number' = 'a whole number',
): void {
  const isOfKind = kind === 'a number' ? Number.isFinite : Number.isSafeInteger;
  const number = value as number;
  if (value === undefined || (isOfKind(value) && number >= least && number <= most)) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw invalidArgument(`The option ${name} is out of range`, value, `${kind} ${range}`);
}

/** Checks an option that takes one of a few strings. */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  const words = choices.map((choice) => `'${choice}'`);
  const expected = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  throw invalidArgument(`The option ${name} has an unknown value`, value, expected);
}

/** Checks an option that is on or off. */
export function checkFlag(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw invalidArgument(`The option ${name} is neither true nor false`, value, 'true or false');
}

/** Checks an option that takes an AbortSignal. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw invalidArgument(
    'The option signal is not an AbortSignal',
    signal,
    'the signal of an AbortController',
  );
}
