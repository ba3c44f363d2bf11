const longestQuote = 80;

/** A string from outside, made safe for a message: quoted, escaped and of bounded length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text);
}

/** The message of an error, or a description of any other thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : inWords(thrown);
}

/** A value as shown in a message: a primitive as written in code, an object as the name of its class. */
export function inWords(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const { constructor } = value as { readonly constructor?: unknown };
  const name = typeof constructor === 'function' && constructor !== Object ? constructor.name : '';
  return name === '' ? 'an object' : name;
}
