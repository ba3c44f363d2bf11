import { isError } from './kinds.js';

const longestQuote = 80;

/** A string from outside, made safe for a message: quoted, escaped and of bounded length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text);
}

/** A name from outside, as it is if it is short and plain, else quoted. */
export function nameInWords(name: string): string {
  return name.length <= longestQuote && /^[\w.-]+$/.test(name) ? name : quote(name);
}

/** The message of an error, or a description of any other thrown value. */
export function messageOf(thrown: unknown): string {
  try {
    const message: unknown = isError(thrown) ? thrown.message : undefined;
    return typeof message === 'string' ? message : inWords(thrown);
  } catch {
    return unreadable;
  }
}

/** A value as shown in a message: a primitive as written in code, an object as the name of its class. */
export function inWords(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    const { constructor } = value as { readonly constructor?: unknown };
    const name = typeof constructor === 'function' && constructor.name !== 'Object' ? constructor.name : '';
    return typeof name === 'string' && name !== '' ? nameInWords(name) : 'an object';
  } catch {
    return unreadable;
  }
}

/** A proxy without a target, or whose traps or getters throw. */
const unreadable = 'an object that cannot be read';
