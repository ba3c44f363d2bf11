import { GhostNetError } from './errors.js';
import { native, type NativeTensor } from './native.js';

/** The typed array that shows the elements of each dtype. */
export interface TypedArrays {
  float64: Float64Array;
  float32: Float32Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int16: Int16Array;
  int8: Int8Array;
  uint8: Uint8Array;
}

/** The element types of tensors. */
export type DType = keyof TypedArrays;

/** The length of each dimension, outermost first; row-major. */
export type Shape = readonly number[];

const constructors = {
  float64: Float64Array,
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
} as const;

/** The dtype whose elements a typed array holds. */
export type DTypeOf<A> = { [D in DType]: A extends TypedArrays[D] ? D : never }[DType];

function dtypeOf(source: unknown): DType {
  // By name, not by instanceof: a test runner's typed arrays may come from another realm.
  const name = ArrayBuffer.isView(source)
    ? Object.prototype.toString.call(source).slice('[object '.length, -1)
    : '';
  for (const [dtype, constructor] of Object.entries(constructors)) {
    if (name === constructor.name) return dtype as DType;
  }
  throw new GhostNetError(
    'GHOSTNET_BAD_DTYPE',
    'The values of a tensor are in no typed array that it can hold',
    {
      found: describeValue(source),
      expected: Object.values(constructors)
        .map((constructor) => constructor.name)
        .join(', '),
    },
  );
}

function describeValue(value: unknown): string {
  if (value === null || typeof value !== 'object') return `${typeof value} ${String(value)}`;
  return (
    (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)?.constructor?.name ??
    'an object'
  );
}

function checkShape(shape: unknown): asserts shape is Shape {
  const valid =
    // Spread, so that a hole is seen as the undefined that it is.
    Array.isArray(shape) &&
    [...(shape as unknown[])].every((length) => Number.isSafeInteger(length) && (length as number) >= 0);
  if (!valid) {
    throw new GhostNetError('GHOSTNET_BAD_SHAPE', 'A shape is not a list of lengths', {
      found: Array.isArray(shape)
        ? `[${[...(shape as unknown[])].map(String).join(',')}]`
        : describeValue(shape),
      expected: 'an array of whole numbers of 0 or more, e.g. [8,3,224,224]',
      remedy: 'Pass the length of each dimension.',
    });
  }
}

function checkDType(dtype: unknown): asserts dtype is DType {
  if (typeof dtype !== 'string' || !Object.hasOwn(constructors, dtype)) {
    throw new GhostNetError('GHOSTNET_BAD_DTYPE', 'A dtype is not known', {
      found: String(dtype),
      expected: Object.keys(constructors).join(', '),
    });
  }
}

/**
 * A typed array of fixed shape in native memory. The compiler knows its dtype and, where the shape was written out, its
 * dimensions.
 *
 * The memory is the tensor's own and is seen from JavaScript through {@link Tensor.data} without a copy. It is freed when
 * the tensor and all its views are collected, or at once with {@link Tensor.dispose}; a job that still reads it keeps it
 * for itself. Do not write to a tensor while a job reads it: the job would see the change half way.
 *
 * Transferring: `postMessage(view, [view.buffer])` and `structuredClone` with a transfer list can not move this memory.
 * Node 20 copies it and leaves the tensor as it was; newer versions throw a `DataCloneError`. Send a copy instead
 * (`postMessage(tensor.data)`). `tensor.data.buffer.transfer()`, where Node has it (21 and newer), does move it: the tensor
 * then counts as disposed of, and jobs that were started before still finish.
 *
 * @typeParam D - dtype of the elements
 * @typeParam S - shape, a tuple of literal lengths where they are known
 */
export class Tensor<D extends DType = DType, S extends Shape = Shape> {
  /** Element type. */
  readonly dtype: D;
  /** Length of each dimension. */
  readonly shape: S;
  /** Number of elements: the product of the shape. */
  readonly size: number;

  readonly #handle: NativeTensor;
  readonly #data: TypedArrays[D];
  #disposed = false;

  private constructor(handle: NativeTensor) {
    this.#handle = handle;
    this.dtype = handle.dtype as D;
    this.shape = Object.freeze(handle.shape) as unknown as S;
    this.size = handle.shape.reduce((product, length) => product * length, 1);
    this.#data = new constructors[this.dtype](handle.buffer) as TypedArrays[D];
  }

  /**
   * Makes a tensor of a typed array's values, which are copied once, now.
   *
   * @param values - as many as the shape holds
   * @param shape - length of each dimension
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_OUT_OF_MEMORY`
   */
  static from<A extends TypedArrays[DType], const S extends Shape>(
    values: A,
    shape: S,
  ): Tensor<DTypeOf<A>, S> {
    const dtype = dtypeOf(values);
    checkShape(shape);
    const size = shape.reduce((product, length) => product * length, 1);
    if (values.length !== size) {
      throw new GhostNetError('GHOSTNET_BAD_SHAPE', 'The values are not as many as the shape holds', {
        found: `${values.length} values for [${shape.join(',')}]`,
        expected: `${size} values`,
        remedy: 'Pass the shape of the values, outermost dimension first.',
      });
    }
    // Native code can not see shared memory.
    const source = values.buffer instanceof SharedArrayBuffer ? values.slice() : values;
    return new Tensor(new (native().NativeTensor)(dtype, [...shape], source));
  }

  /**
   * Makes a tensor of zeros, to be filled through {@link Tensor.data}.
   *
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_OUT_OF_MEMORY`
   */
  static empty<D extends DType, const S extends Shape>(dtype: D, shape: S): Tensor<D, S> {
    checkDType(dtype);
    checkShape(shape);
    return new Tensor(new (native().NativeTensor)(dtype, [...shape]));
  }

  /** @internal */
  static wrap<D extends DType, S extends Shape>(handle: NativeTensor): Tensor<D, S> {
    return new Tensor(handle);
  }

  /** @internal */
  static handleOf(tensor: Tensor): NativeTensor {
    return tensor.#handle;
  }

  /**
   * The elements, row-major: a view of the tensor's own memory, not a copy. Its length is 0 once the tensor is disposed of.
   */
  get data(): TypedArrays[D] {
    return this.#data;
  }

  /** Whether the memory was given up with {@link Tensor.dispose} or transferred away. */
  get disposed(): boolean {
    return this.#disposed || this.#data.length !== this.size;
  }

  /** Frees the memory now; all views of it have length 0 from here on. Does nothing the second time. */
  dispose(): void {
    this.#disposed = true;
    this.#handle.dispose();
  }

  /** As {@link Tensor.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
