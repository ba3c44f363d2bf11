import { GhostNetError } from '../errors.js';
import { isAbortSignal } from './kinds.js';
import { nearest } from './nearest.js';
import { inWords, messageOf, nameInWords, quote } from './words.js';

// All throw `GHOSTNET_INVALID_ARGUMENT`. An undefined option counts as omitted; arguments are required.

/** The longest time of a timer, in milliseconds. */
export const longestTimer = 0x7fffffff;

/** The error for an argument of the wrong type or with a value out of range. */
export function invalidArgument(what: string, value: unknown, expected: string): GhostNetError {
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', what, { found: inWords(value), expected });
}

/**
 * Reads what a caller passed. A getter, an iterator or the trap of a proxy may throw anything; here that is the fault of an
 * argument.
 */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof GhostNetError) throw cause;
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'An argument cannot be read', {
      found: `the error ${quote(messageOf(cause))}`,
      expected: 'objects whose properties can be read',
      cause,
    });
  }
}

/** A copy of an object of arguments or options: each property is read once, so that what is checked is what is used. */
export function copyOf<T extends object>(name: string, value: T): T {
  checkObject(name, value);
  return reading(() => {
    const copy: Record<string, unknown> = {};
    // Inherited properties count, as in every other place where JavaScript reads an option.
    for (const key in value) copy[key] = value[key];
    return copy as T;
  });
}

/** The names of the options of a type, each of which the compiler asks for. */
export type KeysOf<T> = Readonly<Record<keyof T, true>>;

/**
 * A copy of options, as {@link copyOf} makes it. An unknown option is most likely a misspelt one, and would have no effect.
 *
 * @param keys - all options that there are
 */
export function optionsOf<T extends object>(
  value: T,
  keys: Readonly<Record<keyof T, unknown>>,
  name = 'options',
): T {
  const known: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(copyOf(name, value))) {
    // The method of a class is no option: an AbortController may be passed for its signal.
    const isMethod = typeof given === 'function' && !reading(() => Object.hasOwn(value, key));
    if (Object.hasOwn(keys, key)) known[key] = given;
    else if (given !== undefined && !isMethod) throw unknownOption(key, Object.keys(keys));
  }
  return known as T;
}

/** The options that are set. An option that is present but undefined must not hide the metadata of the file. */
export function givenOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function unknownOption(key: string, known: readonly string[]): GhostNetError {
  const meant = key.length > longestName ? undefined : nearest(key, known);
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `There is no option ${nameInWords(key)}`, {
    expected: known.join(', '),
    remedy: meant === undefined ? 'Omit it, or correct its name.' : `Did you mean ${meant}?`,
  });
}

/** Longer names are not compared with those of options. */
const longestName = 64;

/** The error for a method that was called on another value than an object of its class. */
export function wrongThis(name: string, value: unknown): GhostNetError {
  return invalidArgument(
    `A method of ${name} was called on another value`,
    value,
    `a ${name} before the dot`,
  );
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
  if (signal === undefined || isAbortSignal(signal)) return;
  throw invalidArgument(
    'The option signal is not an AbortSignal',
    signal,
    'the signal of an AbortController',
  );
}
