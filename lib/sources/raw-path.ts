import { isUtf8 } from 'node:buffer';

declare const raw: unique symbol;

/**
 * A path, or a part of one, as the system has it: its bytes, each as a character from U+0000 to U+00FF. A name that is not UTF-8
 * survives in this form, and the order of such strings is the order of the bytes.
 */
export type RawPath = string & { readonly [raw]: true };

const beyondAscii = /[^\0-\x7f]/;

/** The bytes of a path that is text. */
export function rawOf(text: string): RawPath {
  return (beyondAscii.test(text) ? Buffer.from(text).toString('latin1') : text) as RawPath;
}

/** Some bytes of a buffer, copied. */
export function rawSlice(bytes: Buffer, start = 0, end = bytes.length): RawPath {
  return bytes.toString('latin1', start, end) as RawPath;
}

/** Parts of a path, one after another. */
export function concat(...parts: readonly RawPath[]): RawPath {
  return parts.join('') as RawPath;
}

/** A part of a path. */
export function part(path: RawPath, start: number, end?: number): RawPath {
  return path.slice(start, end) as RawPath;
}

/** The path for `node:fs`: bytes if it is not UTF-8. */
export function toPath(path: RawPath): string | Buffer {
  if (!beyondAscii.test(path)) return path;
  const bytes = toBytes(path);
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

/** The path as text, with U+FFFD for what is not UTF-8. */
export function toText(path: RawPath): string {
  return beyondAscii.test(path) ? toBytes(path).toString() : path;
}

/** The bytes of a path. */
export function toBytes(path: RawPath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** The path for people: a byte that is not part of UTF-8 is shown as in `caf\xE9.jpg`. */
export function toName(path: RawPath): string {
  const known = toPath(path);
  if (typeof known === 'string') return known;
  const longest = 4;
  let name = '';
  for (let at = 0; at < known.length;) {
    let length = 1;
    while (length <= longest && !isUtf8(known.subarray(at, at + length))) length += 1;
    if (length <= longest) {
      name += known.toString('utf8', at, at + length);
      at += length;
    } else {
      name += `\\x${(known[at] ?? 0).toString(16).toUpperCase()}`;
      at += 1;
    }
  }
  return name;
}
