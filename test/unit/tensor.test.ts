import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Tensor, type DType } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { codeOf, errorOf } from '../support/errors.js';

const samples = {
  float64: Float64Array.of(1.5, -2, Infinity, 5e-324, 0, 1),
  float32: Float32Array.of(1.5, -2, Infinity, 1e-45, 0, 1),
  int64: BigInt64Array.of(1n, -2n, 2n ** 63n - 1n, -(2n ** 63n), 0n, 1n),
  int32: Int32Array.of(1, -2, 2 ** 31 - 1, -(2 ** 31), 0, 1),
  int16: Int16Array.of(1, -2, 32767, -32768, 0, 1),
  int8: Int8Array.of(1, -2, 127, -128, 0, 1),
  uint8: Uint8Array.of(1, 2, 255, 0, 128, 1),
} as const;
const dtypes = Object.keys(samples) as DType[];

describe('Tensor.from', () => {
  it.each(dtypes)('keeps values, dtype and shape of %s', (dtype) => {
    const values = samples[dtype];
    using tensor = Tensor.from(values, [2, 3]);
    expect(tensor.dtype).toBe(dtype);
    expect(tensor.shape).toEqual([2, 3]);
    expect(tensor.size).toBe(6);
    expect(tensor.data).toBeInstanceOf(values.constructor);
    expect(tensor.data).toEqual(values);
    expect(tensor.disposed).toBe(false);
  });

  it('copies the values once, at the call', () => {
    const values = Float32Array.of(1, 2, 3, 4);
    using tensor = Tensor.from(values, [4]);
    values.fill(9);
    expect(tensor.data).toEqual(Float32Array.of(1, 2, 3, 4));
    tensor.data[0] = 7;
    expect(values[0]).toBe(9);
  });

  it('takes a part of a buffer, at an offset and an odd alignment', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, index) => index);
    using part = Tensor.from(bytes.subarray(3, 9), [2, 3]);
    expect([...part.data]).toEqual([3, 4, 5, 6, 7, 8]);
    using floats = Tensor.from(new Float32Array(bytes.buffer, 8, 2), [2]);
    expect(floats.data).toEqual(new Float32Array(bytes.buffer, 8, 2));
    using buffer = Tensor.from(Buffer.from('RGB'), [1, 1, 3]);
    expect([...buffer.data]).toEqual([82, 71, 66]);
    expect(buffer.dtype).toBe('uint8');
  });

  it('takes values in shared memory', () => {
    const shared = new Float32Array(new SharedArrayBuffer(16));
    shared.set([1, 2, 3, 4]);
    using tensor = Tensor.from(shared, [2, 2]);
    shared.fill(0);
    expect([...tensor.data]).toEqual([1, 2, 3, 4]);
    expect(tensor.data.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('takes a scalar and an empty shape', () => {
    using scalar = Tensor.from(Float32Array.of(5), []);
    expect(scalar.shape).toEqual([]);
    expect(scalar.size).toBe(1);
    using nothing = Tensor.from(new Uint8Array(0), [2, 0, 3]);
    expect(nothing.size).toBe(0);
    expect(nothing.data).toHaveLength(0);
    expect(nothing.disposed).toBe(false);
  });

  it.each([
    ['a list', [1, 2]],
    ['clamped bytes', new Uint8ClampedArray(2)],
    ['unsigned 16 bit', new Uint16Array(2)],
    ['unsigned 32 bit', new Uint32Array(2)],
    ['unsigned 64 bit', new BigUint64Array(2)],
    ['a buffer without a type', new ArrayBuffer(2)],
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['a string', '12'],
    ['null', null],
    ['undefined', undefined],
    ['an object without a prototype', Object.create(null) as unknown],
  ])('refuses values in %s', async (_, values) => {
    const error = await errorOf(() => Tensor.from(values as Uint8Array, [2]));
    expect(error.code).toBe('GHOSTNET_BAD_DTYPE');
    expect(error.expected).toContain('Float32Array');
  });

  it.each([
    ['fewer values', [2, 2]],
    ['more values', [2]],
    ['none', [0]],
  ])('refuses %s than the shape holds', async (_, shape) => {
    const error = await errorOf(() => Tensor.from(new Float32Array(3), shape));
    expect(error.code).toBe('GHOSTNET_BAD_SHAPE');
    expect(error.found).toContain('3 values');
    expect(error.expected).toContain(String(shape.reduce((product, length) => product * length, 1)));
  });

  it('refuses values whose memory was transferred away', async () => {
    const values = new Float32Array(4);
    structuredClone(values, { transfer: [values.buffer] });
    expect(await codeOf(() => Tensor.from(values, [4]))).toBe('GHOSTNET_DISPOSED');
  });
});

describe('shapes', () => {
  it.each([
    ['a negative length', [-1]],
    ['a fraction', [1.5]],
    ['NaN', [NaN]],
    ['an infinite length', [Infinity]],
    ['text', ['2']],
    ['a bigint', [2n]],
    ['a hole', new Array(1)],
    ['a number', 4],
    ['a string', '22'],
    ['null', null],
    ['undefined', undefined],
    ['a typed array', Int32Array.of(2)],
    ['a length beyond whole numbers', [2 ** 53]],
  ])('refuse %s', async (_, shape) => {
    const from = await errorOf(() => Tensor.from(new Float32Array(4), shape as number[]));
    expect(from.code).toBe('GHOSTNET_BAD_SHAPE');
    expect(await codeOf(() => Tensor.empty('float32', shape as number[]))).toBe('GHOSTNET_BAD_SHAPE');
  });

  it('refuse a product that no memory can hold', async () => {
    expect(await codeOf(() => Tensor.empty('float32', [2 ** 32, 2 ** 32]))).toBe('GHOSTNET_BAD_SHAPE');
    expect(await codeOf(() => Tensor.empty('float32', [2 ** 52, 2 ** 9]))).toBe('GHOSTNET_BAD_SHAPE');
  });

  it('say so when memory runs out', async () => {
    const error = await errorOf(() => Tensor.empty('float64', [2 ** 50]));
    expect(error.code).toBe('GHOSTNET_OUT_OF_MEMORY');
  });

  it('cannot be changed from outside', () => {
    const shape = [2, 2];
    using tensor = Tensor.empty('uint8', shape);
    shape[0] = 4;
    expect(tensor.shape).toEqual([2, 2]);
    expect(Object.isFrozen(tensor.shape)).toBe(true);
  });
});

describe('Tensor.empty', () => {
  it.each(dtypes)('makes zeros of %s that can be filled', (dtype) => {
    using tensor = Tensor.empty(dtype, [2, 3]);
    expect(tensor.dtype).toBe(dtype);
    expect([...tensor.data].every((value) => Number(value) === 0)).toBe(true);
    tensor.data.set(samples[dtype] as never);
    expect(tensor.data).toEqual(samples[dtype]);
  });

  it.each(['float16', 'bool', 'toString', '', undefined, null, 4])('refuses the dtype %s', async (dtype) => {
    expect(await codeOf(() => Tensor.empty(dtype as DType, [1]))).toBe('GHOSTNET_BAD_DTYPE');
  });
});

describe('Tensor.data', () => {
  it('is the same memory each time, seen by all its views', () => {
    using tensor = Tensor.empty('int32', [4]);
    const other = new Int32Array(tensor.data.buffer);
    tensor.data[2] = 42;
    expect(other[2]).toBe(42);
    other[0] = 7;
    expect(tensor.data[0]).toBe(7);
    expect(tensor.data.buffer.byteLength).toBe(16);
  });
});

describe('Tensor.dispose', () => {
  it('leaves no view with a length', () => {
    const tensor = Tensor.from(Float32Array.of(1, 2, 3, 4), [2, 2]);
    const { data } = tensor;
    const views = [data, data.subarray(1), new Uint8Array(data.buffer), new Float32Array(data.buffer, 4, 2)];
    tensor.dispose();
    expect(tensor.disposed).toBe(true);
    expect(tensor.data).toHaveLength(0);
    expect(views.map((view) => view.length)).toEqual([0, 0, 0, 0]);
    expect(data.buffer.byteLength).toBe(0);
    expect(data[0]).toBeUndefined();
    expect(tensor.shape).toEqual([2, 2]);
  });

  it('does nothing the second time', () => {
    const tensor = Tensor.empty('uint8', [4]);
    tensor.dispose();
    tensor.dispose();
    expect(tensor.disposed).toBe(true);
  });

  it('counts for a tensor without elements too', () => {
    const tensor = Tensor.empty('uint8', [0]);
    tensor.dispose();
    expect(tensor.disposed).toBe(true);
  });

  it('is called at the end of a block by using', () => {
    let outside: Tensor | undefined;
    {
      using tensor = Tensor.empty('uint8', [4]);
      outside = tensor;
      expect(outside.disposed).toBe(false);
    }
    expect(outside.disposed).toBe(true);
    expect(outside.data).toHaveLength(0);
  });

  it('leaves other tensors alone', () => {
    const first = Tensor.from(Uint8Array.of(1, 2), [2]);
    using second = Tensor.from(Uint8Array.of(3, 4), [2]);
    first.dispose();
    expect([...second.data]).toEqual([3, 4]);
  });
});

describe('any shape', () => {
  const shapes = fc.array(fc.nat(7), { maxLength: 6 });

  it('holds as many values as its product', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom(...dtypes), (shape, dtype) => {
        const size = shape.reduce((product, length) => product * length, 1);
        using tensor = Tensor.empty(dtype, shape);
        expect(tensor.size).toBe(size);
        expect(tensor.shape).toEqual(shape);
        expect(tensor.data).toHaveLength(size);
        expect(tensor.disposed).toBe(false);
      }),
    );
  });

  it('gives back the bits it was given', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 64 }), (values) => {
        using tensor = Tensor.from(values, [values.length]);
        const bits = (array: Float32Array) => [
          ...new Uint32Array(array.buffer, array.byteOffset, array.length),
        ];
        expect(bits(tensor.data)).toEqual(bits(values));
      }),
    );
  });

  it('refuses any other number of values', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(64), async (shape, length) => {
        const size = shape.reduce((product, dimension) => product * dimension, 1);
        fc.pre(length !== size);
        expect(await codeOf(() => Tensor.from(new Uint8Array(length), shape))).toBe('GHOSTNET_BAD_SHAPE');
      }),
    );
  });
});

describe('a typed array of another realm', () => {
  it('is taken as one of this', () => {
    const foreign = runInNewContext('new Float32Array([1, 2])') as Float32Array;
    expect(foreign instanceof Float32Array).toBe(false);
    using tensor = Tensor.from(foreign, [2]);
    expect([...tensor.data]).toEqual([1, 2]);
    expect(tensor.dtype).toBe('float32');
  });
});
