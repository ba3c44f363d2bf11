import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemSizes } from '../../lib/checkpoint/array.js';
import { readCheckpoint, readSafetensors, writeSafetensors } from '../../lib/checkpoint/index.js';
import type { ArrayDType, NamedArray } from '../../lib/checkpoint/index.js';
import { dict, tuple, type Py } from '../fixtures/checkpoint/pickle-writer.js';
import {
  storageRef,
  tensorRef,
  torchFile,
  torchLegacy,
  torchZip,
  type StorageSpec,
} from '../fixtures/checkpoint/writers.js';

const dtypes = Object.keys(itemSizes) as ArrayDType[];
const elements = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

const namedArray: fc.Arbitrary<NamedArray> = fc
  .record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.nat(4), { maxLength: 4 }) })
  .chain(({ dtype, shape }) => {
    const length = elements(shape) * itemSizes[dtype];
    return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ dtype, shape, data }));
  });

// Names that readCheckpoint keeps unchanged.
const name = fc
  .string({ unit: 'binary' })
  .filter((text) => !/^module\.|total_(?:ops|params)$|^features\.|__metadata__/.test(text));
const arrays = fc.uniqueArray(fc.tuple(name, namedArray), { selector: ([key]) => key, maxLength: 8 });
const metadata = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }));
const protocol = fc.constantFrom(2, 3, 4, 5);
const container = fc.constantFrom('zip' as const, 'legacy' as const);

describe('any state dict', () => {
  it('comes back from the safetensors writer, which pays no heed to its order', () => {
    fc.assert(
      fc.property(arrays, metadata, (pairs, strings) => {
        const bytes = writeSafetensors(pairs, strings);
        const checkpoint = readSafetensors(bytes);
        expect(new Map(checkpoint.arrays)).toEqual(new Map(pairs));
        expect(Object.entries(checkpoint.metadata).sort()).toEqual(Object.entries(strings).sort());
        expect(writeSafetensors([...pairs].reverse(), strings)).toEqual(bytes);
        expect(writeSafetensors(checkpoint.arrays, checkpoint.metadata)).toEqual(bytes);
      }),
    );
  });

  it('comes back from either container of PyTorch, in any protocol of pickle', () => {
    fc.assert(
      fc.property(container, arrays, protocol, (kind, pairs, version) => {
        const checkpoint = readCheckpoint(torchFile(kind, pairs, version));
        expect([...checkpoint.arrays]).toEqual(pairs);
        expect(checkpoint.format).toBe(`torch-${kind}`);
      }),
    );
  });
});

/** A tensor with any strides, in the smallest storage that holds it. */
const strided = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    offset: fc.nat(5),
    axes: fc.array(fc.record({ size: fc.integer({ min: 1, max: 4 }), stride: fc.nat(9) }), { maxLength: 4 }),
  })
  .map(({ dtype, offset, axes }) => {
    const shape = axes.map(({ size }) => size);
    const strides = axes.map(({ stride }) => stride);
    const extent = axes.reduce((last, { size, stride }) => last + (size - 1) * stride, offset) + 1;
    return { dtype, offset, shape, strides, count: extent };
  });

/** The offsets of a tensor's elements in its storage, in row-major order. */
function offsets(offset: number, shape: readonly number[], strides: readonly number[]): number[] {
  const [size, ...sizes] = shape;
  const [stride = 0, ...rest] = strides;
  if (size === undefined) return [offset];
  return Array.from({ length: size }, (_, index) => offsets(offset + index * stride, sizes, rest)).flat();
}

describe('any strided tensor', () => {
  it('is read element by element, and refused when its storage is one element short', () => {
    fc.assert(
      fc.property(container, strided, (kind, { dtype, offset, shape, strides, count }) => {
        const itemSize = itemSizes[dtype];
        const write = kind === 'zip' ? torchZip : torchLegacy;
        const read = (elementCount: number) => {
          const bytes = Uint8Array.from({ length: elementCount * itemSize }, (_, index) => (index * 7) % 251);
          const storage: StorageSpec = { key: '0', dtype, bytes };
          const tensor = tensorRef(storageRef(storage, kind), offset, tuple(...shape), tuple(...strides));
          // What is copied is at most as large as the file.
          const rest: StorageSpec = { key: '1', dtype: 'uint8', bytes: new Uint8Array(4096) };
          const pairs: [string, Py][] = [
            ['w', tensor],
            ['rest', tensorRef(storageRef(rest, kind), 0, tuple(4096), tuple(1))],
          ];
          return { bytes, array: readCheckpoint(write(dict(pairs), [storage, rest])).arrays.get('w') };
        };
        const { bytes, array } = read(count);
        const expected = offsets(offset, shape, strides).flatMap((element) => [
          ...bytes.subarray(element * itemSize, (element + 1) * itemSize),
        ]);
        expect(array).toEqual({ dtype, shape, data: Uint8Array.from(expected) });
        expect(() => read(count - 1)).toThrow(/storage/);
      }),
    );
  });
});
