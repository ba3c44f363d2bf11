import { describe, expect, it } from 'vitest';

import { narrowArrays, type NamedArray, type SavedDType } from '../../lib/checkpoint/index.js';
import { finish, type Sliced } from '../../lib/checkpoint/slices.js';
import { errorOf } from '../fixtures/checkpoint/errors.js';

const float32 = (values: ArrayLike<number>): NamedArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
});

function halvesOf(values: ArrayLike<number>, dtype: SavedDType): Uint16Array {
  const [[, array] = []] = finish(narrowArrays([['w', float32(values)]], dtype));
  expect(array).toMatchObject({ dtype, shape: [values.length] });
  return new Uint16Array(array?.data.buffer ?? new ArrayBuffer());
}

interface Format {
  readonly fraction: number;
  /** Exponent of the smallest normal number, and of the largest. */
  readonly least: number;
  readonly most: number;
}
const formats: Record<'float16' | 'bfloat16', Format> = {
  float16: { fraction: 10, least: -14, most: 15 },
  bfloat16: { fraction: 7, least: -126, most: 127 },
};

/** The value of the bits of a narrow number, by its definition. */
function valueOf(bits: number, { fraction, least, most }: Format): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> fraction;
  const digits = bits & (2 ** fraction - 1);
  if (exponent === most - least + 2) return digits === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * digits * 2 ** (least - fraction);
  return sign * (2 ** fraction + digits) * 2 ** (exponent - 1 + least - fraction);
}

/** The nearest value, of two as near that with an even last digit, in exact arithmetic of doubles. */
function nearest(value: number, { fraction, least }: Format): number {
  if (value === 0) return value;
  const exponent = Math.max(least, Math.floor(Math.log2(Math.abs(value))));
  const step = 2 ** (exponent - fraction);
  const count = value / step;
  const below = Math.floor(count);
  const isUp = count - below > 0.5 || (count - below === 0.5 && below % 2 !== 0);
  return (isUp ? below + 1 : below) * step;
}

describe.each(['float16', 'bfloat16'] as const)('weights narrowed to %s', (dtype) => {
  const format = formats[dtype];
  const all = Array.from({ length: 0x10000 }, (_, bits) => bits);
  const finite = all.filter((bits) => Number.isFinite(valueOf(bits, format)));

  it('keep every number that the type has', () => {
    const values = finite.map((bits) => valueOf(bits, format));
    expect(
      Buffer.from(halvesOf(values, dtype).buffer).equals(Buffer.from(Uint16Array.from(finite).buffer)),
    ).toBe(true);
  });

  it('keep infinity and NaN', () => {
    const halves = halvesOf([Infinity, -Infinity, NaN], dtype);
    const [plus, minus, nan] = [...halves].map((bits) => valueOf(bits, format));
    expect([plus, minus]).toEqual([Infinity, -Infinity]);
    expect(nan).toBeNaN();
    // A NaN of which only the last bit is set would become infinity if bits were only cut.
    const signalling = { ...float32([0]), data: Uint8Array.of(1, 0, 0x80, 0x7f) };
    const [[, array] = []] = finish(narrowArrays([['w', signalling]], dtype));
    expect(valueOf(new Uint16Array(array?.data.buffer ?? new ArrayBuffer())[0] ?? 0, format)).toBeNaN();
  });

  it('go to the nearest, halfway between two to the even one', () => {
    const values: number[] = [];
    for (const bits of finite.slice(0, -1)) {
      const [low, high] = [valueOf(bits, format), valueOf(bits + 1, format)];
      if (!Number.isFinite(high) || low < 0 || high < low) continue;
      const [middle = 0] = Float32Array.of((low + high) / 2);
      const nudge = (high - low) / 64;
      values.push(middle, -middle, ...Float32Array.of(middle - nudge, middle + nudge));
    }
    let state = 1;
    for (let count = 0; count < 100_000; count += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const [value = 0] = new Float32Array(Uint32Array.of(state).buffer);
      const most = valueOf((finite.at(-1) ?? 0) & 0x7fff, format);
      if (Math.abs(value) <= most) values.push(value);
    }
    const found = Array.from(halvesOf(values, dtype), (bits) => valueOf(bits, format));
    const wrong = values.filter((value, index) => found[index] !== nearest(value, format));
    expect(values.length).toBeGreaterThan(120_000);
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it('are refused if one is too large, by the name of its array', () => {
    const largest = valueOf((finite.at(-1) ?? 0) & 0x7fff, format);
    const half = largest * 2 ** -(format.fraction + 2);
    expect(halvesOf([largest + half * 0.99], dtype)[0]).toBe((finite.at(-1) ?? 0) & 0x7fff);
    for (const value of [largest + half * 1.01, -largest - half * 1.01]) {
      const arrays = [
        ['fine', float32([1])],
        ['conv.weight', float32([0, value])],
      ] as const;
      const error = errorOf(() => finish(narrowArrays(arrays, dtype)));
      expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
      expect(error.message).toMatch(new RegExp(`do not fit in ${dtype}.*in conv\\.weight`));
    }
  });

  it('leave counters, and the order of arrays', () => {
    const counter: NamedArray = { dtype: 'int64', shape: [], data: new Uint8Array(8).fill(7) };
    const narrowed = finish(
      narrowArrays(
        [
          ['n', counter],
          ['w', float32([1])],
        ],
        dtype,
      ),
    );
    expect(narrowed.map(([name]) => name)).toEqual(['n', 'w']);
    expect(narrowed[0]?.[1]).toBe(counter);
  });

  it('pause in large arrays, and may lie at any alignment', () => {
    const values = Float32Array.from({ length: 300_000 }, (_, index) => index / 8);
    const shifted = new Uint8Array(values.byteLength + 1);
    shifted.set(new Uint8Array(values.buffer), 1);
    const work: Sliced<unknown> = narrowArrays(
      [['w', { dtype: 'float32', shape: [values.length], data: shifted.subarray(1) }]],
      dtype,
    );
    let pauses = 0;
    while (work.next().done !== true) pauses += 1;
    expect(pauses).toBeGreaterThan(3);
  });
});

it('weights narrowed to float32 are the same arrays', () => {
  const arrays = [['w', float32([1])]] as const;
  expect(finish(narrowArrays(arrays, 'float32'))).toBe(arrays);
});
