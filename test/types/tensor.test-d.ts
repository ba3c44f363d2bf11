import { Tensor, type DTypeOf } from 'ghostnet';
import { describe, expectTypeOf, it } from 'vitest';

describe('Tensor.from', () => {
  it('takes the dtype from the typed array and the shape as it is written', () => {
    const tensor = Tensor.from(new Float32Array(8 * 3 * 224 * 224), [8, 3, 224, 224]);
    expectTypeOf(tensor).toEqualTypeOf<Tensor<'float32', readonly [8, 3, 224, 224]>>();
    expectTypeOf(tensor.dtype).toEqualTypeOf<'float32'>();
    expectTypeOf(tensor.shape).toEqualTypeOf<readonly [8, 3, 224, 224]>();
    expectTypeOf(tensor.data).toEqualTypeOf<Float32Array>();
  });

  it('knows the dtype of each typed array', () => {
    expectTypeOf(Tensor.from(new Float64Array(1), [1])).toEqualTypeOf<Tensor<'float64', readonly [1]>>();
    expectTypeOf(Tensor.from(new BigInt64Array(1), [1])).toEqualTypeOf<Tensor<'int64', readonly [1]>>();
    expectTypeOf(Tensor.from(new Int32Array(1), [1])).toEqualTypeOf<Tensor<'int32', readonly [1]>>();
    expectTypeOf(Tensor.from(new Int16Array(1), [1])).toEqualTypeOf<Tensor<'int16', readonly [1]>>();
    expectTypeOf(Tensor.from(new Int8Array(1), [1])).toEqualTypeOf<Tensor<'int8', readonly [1]>>();
    expectTypeOf(Tensor.from(new Uint8Array(1), [1])).toEqualTypeOf<Tensor<'uint8', readonly [1]>>();
    expectTypeOf(Tensor.from(Buffer.alloc(1), [1])).toEqualTypeOf<Tensor<'uint8', readonly [1]>>();
    expectTypeOf<DTypeOf<BigInt64Array>>().toEqualTypeOf<'int64'>();
  });

  it('keeps exactly the known dimensions of a shape', () => {
    const batch = 4 as number;
    const partly = Tensor.from(new Uint8Array(batch * 12), [batch, 2, 2, 3]);
    expectTypeOf(partly.shape).toEqualTypeOf<readonly [number, 2, 2, 3]>();
    const shape: number[] = [2, 2];
    expectTypeOf(Tensor.from(new Uint8Array(4), shape).shape).toEqualTypeOf<number[]>();
    expectTypeOf(Tensor.from(new Float32Array(1), []).shape).toEqualTypeOf<readonly []>();
  });

  it('refuses arrays that no tensor holds', () => {
    // @ts-expect-error -- there are no unsigned 16 bit tensors
    Tensor.from(new Uint16Array(1), [1]);
    // @ts-expect-error -- a list of numbers has no dtype
    Tensor.from([1, 2, 3], [3]);
    // @ts-expect-error -- a shape is a list
    Tensor.from(new Float32Array(1), 1);
  });

  it('does not let a shape be changed', () => {
    const tensor = Tensor.empty('float32', [1, 2]);
    // @ts-expect-error -- read only
    tensor.shape[0] = 3;
    // @ts-expect-error -- read only
    tensor.dtype = 'uint8';
  });
});

describe('Tensor.empty', () => {
  it('keeps dtype and shape', () => {
    const tensor = Tensor.empty('int64', [2, 3]);
    expectTypeOf(tensor).toEqualTypeOf<Tensor<'int64', readonly [2, 3]>>();
    expectTypeOf(tensor.data).toEqualTypeOf<BigInt64Array>();
    // @ts-expect-error -- no such dtype
    Tensor.empty('float16', [1]);
  });
});

describe('Tensor', () => {
  it('of a known shape passes where any tensor may', () => {
    expectTypeOf<Tensor<'float32', readonly [1, 3]>>().toExtend<Tensor>();
    expectTypeOf<Tensor<'float32', readonly [1, 3]>>().toExtend<Tensor<'float32'>>();
    expectTypeOf<Tensor<'float32', readonly [1, 3]>>().not.toExtend<Tensor<'uint8'>>();
    expectTypeOf<Tensor<'float32', readonly [1, 3]>>().not.toExtend<Tensor<'float32', readonly [1, 4]>>();
  });

  it('can be disposed of with using', () => {
    expectTypeOf<Tensor>().toExtend<Disposable>();
  });

  it('hides internal members', () => {
    // @ts-expect-error -- not public
    expectTypeOf(Tensor.wrap).toBeNever();
    // @ts-expect-error -- not public
    expectTypeOf(Tensor.handleOf).toBeNever();
  });
});
