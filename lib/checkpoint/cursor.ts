import { isUtf8 } from 'node:buffer';
import type { ErrorDetails, GhostNetError } from '../errors.js';
import { malformed } from './faults.js';

/**
 * Reads little-endian values from a range of a file, in order. Every read is checked against the end of the range, and every
 * error contains the offset in the file.
 */
export class Cursor {
  private readonly view: DataView;
  private readonly buffer: Buffer;

  /**
   * @param bytes - the whole file
   * @param source - the name of the file in messages
   * @param position - the offset in the file of the next byte to read
   * @param end - the offset in the file where the range ends
   */
  constructor(
    readonly bytes: Uint8Array,
    readonly source: string,
    public position = 0,
    readonly end = bytes.byteLength,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (position < 0 || position > end || end > bytes.byteLength) {
      throw this.fail('a part lies outside the file');
    }
  }

  get remaining(): number {
    return this.end - this.position;
  }

  fail(what: string, details: ErrorDetails = {}, offset = this.position): GhostNetError {
    return malformed(this.source, offset, what, details);
  }

  /** The next byte, without advancing, or `undefined` at the end. */
  peek(): number | undefined {
    return this.position < this.end ? this.bytes[this.position] : undefined;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  i32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  /** An unsigned 64-bit integer, rejected if a double cannot hold it exactly: no file is that long. */
  u64(): number {
    const at = this.advance(8);
    const value = this.view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.fail('a 64-bit count or offset is impossibly large', { found: String(value) }, at);
    }
    return Number(value);
  }

  /** A big-endian double, as pickle stores it. */
  f64BigEndian(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const at = this.advance(length);
    return this.bytes.subarray(at, at + length);
  }

  /** The next `length` bytes as UTF-8, which must be valid. */
  text(length: number): string {
    const at = this.position;
    if (!isUtf8(this.take(length))) throw this.fail('a string is not valid UTF-8', {}, at);
    return this.buffer.toString('utf8', at, at + length);
  }

  private advance(length: number): number {
    const at = this.position;
    if (length > this.end - at) {
      throw this.fail('the file, or a part of it, ends in the middle of a value', {
        expected: `${length} more bytes`,
        found: `${this.end - at}`,
      });
    }
    this.position = at + length;
    return at;
  }
}
