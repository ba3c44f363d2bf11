import { Cursor } from './cursor.js';

/** A value that refers to the 64-bit record. */
export const saturated32 = 0xffffffff;

const zip64ExtraId = 0x0001;

/** The 64-bit values of an entry, in the order in which they replace saturated 32-bit values. */
interface Extra {
  readonly zip64: boolean;
  /** The value, or the next 64-bit value if the value is saturated. */
  widen(value: number): number;
}

/** Reads the extra fields of an entry, which follow its name. */
export function readExtra(cursor: Cursor, length: number): Extra {
  const end = cursor.position + length;
  const fields = new Cursor(cursor.bytes, cursor.source, cursor.position, Math.min(end, cursor.end));
  cursor.take(length);
  let wide: Cursor | undefined;
  while (fields.remaining > 0) {
    const id = fields.u16();
    const size = fields.u16();
    const start = fields.position;
    fields.take(size);
    if (id !== zip64ExtraId) continue;
    if (wide !== undefined)
      throw fields.fail('an entry of the zip archive has two 64-bit records', {}, start);
    wide = new Cursor(cursor.bytes, cursor.source, start, start + size);
  }
  return {
    zip64: wide !== undefined,
    widen(value) {
      if (value !== saturated32) return value;
      if (wide === undefined) throw fields.fail('an entry of the zip archive lacks its 64-bit record');
      return wide.u64();
    },
  };
}
