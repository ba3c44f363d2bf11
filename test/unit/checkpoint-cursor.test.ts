import { describe, expect, it } from 'vitest';
import { Cursor } from '../../lib/checkpoint/cursor.js';
import { errorOf } from '../fixtures/checkpoint/errors.js';

const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe('Cursor', () => {
  it.each<[position: number, end: number]>([
    [-1, 8],
    [9, 9],
    [0, 9],
    [5, 4],
  ])('refuses the range from %i to %i of 8 bytes', (position, end) => {
    const error = errorOf(() => new Cursor(bytes, 'a.pth', position, end));
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
  });

  it('reads up to the end of its range and not beyond', () => {
    const cursor = new Cursor(bytes, 'a.pth', 2, 6);
    expect([cursor.peek(), cursor.u16(), cursor.u8(), cursor.remaining]).toEqual([3, 0x0403, 5, 1]);
    const error = errorOf(() => cursor.u16());
    expect(error.message).toMatch(/\(byte 5\).*Expected 2 more bytes. Found 1/);
    expect([cursor.u8(), cursor.peek()]).toEqual([6, undefined]);
    expect(cursor.take(0)).toEqual(new Uint8Array(0));
    expect(() => cursor.take(1)).toThrow(/in the middle of a value/);
  });
});
