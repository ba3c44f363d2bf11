import { elementsIn, isShared, plainBytes, typedArrayName } from './check/memory.js';
import { invalidArgument, reading, wrongThis } from './check/option.js';
import { inWords } from './check/words.js';
import { GhostNetError } from './errors.js';
import type { NativeTensor } from './native/addon.js';
import { native } from './native/load.js';

/** The typed array for the elements of each dtype. */
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
  const name = typedArrayName(source);
  for (const [dtype, constructor] of Object.entries(constructors)) {
    if (name === constructor.name) return dtype as DType;
  }
  const names = Object.values(constructors).map((constructor) => constructor.name);
  throw new GhostNetError('GHOSTNET_BAD_DTYPE', 'A tensor cannot hold values of this type', {
    found: inWords(source),
    expected: names.join(', '),
  });
}

/** As in PyTorch. */
const mostDimensions = 64;

/** A copy of a shape: what is checked is what is used. */
function lengthsOf(shape: unknown): number[] {
  // The length first: an array of a billion holes is quickly made.
  const isShort = Array.isArray(shape) && shape.length <= mostDimensions;
  // Spread: every() would skip a hole.
  const lengths = isShort ? [...(shape as unknown[])] : undefined;
  if (lengths?.every((length) => Number.isSafeInteger(length) && (length as number) >= 0) === true)
    return lengths as number[];
  throw new GhostNetError('GHOSTNET_BAD_SHAPE', 'The shape is not a list of lengths', {
    found: lengths === undefined ? inWords(shape) : `[${lengths.map(inWords).join(',')}]`,
    expected: `an array of at most ${mostDimensions} whole numbers of at least 0, e.g. [8,3,224,224]`,
    remedy: 'Pass the length of each dimension.',
  });
}

function checkDType(dtype: unknown): asserts dtype is DType {
  if (typeof dtype !== 'string' || !Object.hasOwn(constructors, dtype)) {
    throw new GhostNetError('GHOSTNET_BAD_DTYPE', 'The dtype is unknown', {
      found: inWords(dtype),
      expected: Object.keys(constructors).join(', '),
    });
  }
}

// For the rest of the package: index.ts does not export them.

/** The tensor of a native handle. */
export let tensorOf: <D extends DType, S extends Shape>(handle: NativeTensor) => Tensor<D, S>;

/**
 * The native handle of a tensor.
 *
 * @param what - the subject of the message, e.g. 'The input'
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` if the value is not a tensor
 */
export let handleOf: (value: unknown, what: string) => NativeTensor;

/**
 * A typed array of fixed shape in native memory. The compiler knows its dtype and, if the shape was written as a literal, its
 * dimensions.
 *
 * The tensor owns its memory, which JavaScript reads and writes through {@link Tensor.data} without a copy. The memory is freed
 * when the tensor and all its views are collected, or at once with {@link Tensor.dispose}; a job that still reads it keeps it
 * alive. Do not write to a tensor while a job reads it: the job could see part of the change.
 *
 * Transferring: `postMessage(view, [view.buffer])` and `structuredClone` with a transfer list cannot move this memory.
 * Node 20 copies it and leaves the tensor unchanged; later versions throw a `DataCloneError`. Send a copy instead
 * (`postMessage(tensor.data)`). `tensor.data.buffer.transfer()` (Node 21 and later) does move it: the tensor then counts as
 * disposed, and jobs that have started still finish.
 *
 * @typeParam D - dtype of the elements
 * @typeParam S - shape, a tuple of literal lengths if they are known
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

  static {
    tensorOf = (handle) => new Tensor(handle);
    handleOf = (value, what) => {
      if (typeof value === 'object' && value !== null && #handle in value) return value.#handle;
      throw invalidArgument(`${what} is not a Tensor`, value, 'a Tensor, from Tensor.from() or preprocess()');
    };
  }

  private constructor(handle: NativeTensor) {
    if (!reading(() => (handle as unknown) instanceof native().NativeTensor)) {
      throw invalidArgument('A Tensor cannot be created with new', handle, 'Tensor.from() or Tensor.empty()');
    }
    this.#handle = handle;
    this.dtype = handle.dtype as D;
    this.shape = Object.freeze(handle.shape) as unknown as S;
    this.size = handle.shape.reduce((product, length) => product * length, 1);
    this.#data = new constructors[this.dtype](handle.buffer) as TypedArrays[D];
  }

  /**
   * Creates a tensor from the values of a typed array, which are copied once, during the call.
   *
   * @param values - row-major, one value per element of the shape
   * @param shape - length of each dimension
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_DISPOSED`, `GHOSTNET_OUT_OF_MEMORY`
   */
  static from<A extends TypedArrays[DType], const S extends Shape>(
    values: A,
    shape: S,
  ): Tensor<DTypeOf<A>, S> {
    const dtype = reading(() => dtypeOf(values));
    const lengths = reading(() => lengthsOf(shape));
    const size = lengths.reduce((product, length) => product * length, 1);
    if (plainBytes(values) === undefined) {
      throw new GhostNetError('GHOSTNET_DISPOSED', 'The memory of the values was transferred');
    }
    if (elementsIn(values) !== size) {
      throw new GhostNetError('GHOSTNET_BAD_SHAPE', 'The number of values does not match the shape', {
        found: `${elementsIn(values)} values`,
        expected: `${size} values for [${lengths.join(',')}]`,
        remedy: 'Pass the shape of the values, outermost dimension first.',
      });
    }
    // Native code cannot see shared memory.
    const source = isShared(values) ? (Reflect.construct(constructors[dtype], [values]) as A) : values;
    return new Tensor(new (native().NativeTensor)(dtype, lengths, source));
  }

  /**
   * Creates a tensor of zeros, to be filled through {@link Tensor.data}.
   *
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_OUT_OF_MEMORY`
   */
  static empty<D extends DType, const S extends Shape>(dtype: D, shape: S): Tensor<D, S> {
    checkDType(dtype);
    const lengths = reading(() => lengthsOf(shape));
    return new Tensor(new (native().NativeTensor)(dtype, lengths));
  }

  /** The elements, row-major: a view of the memory of the tensor, not a copy. Its length is 0 after dispose(). */
  get data(): TypedArrays[D] {
    Tensor.#check(this);
    return this.#data;
  }

  /** Whether the memory was freed with {@link Tensor.dispose} or transferred away. */
  get disposed(): boolean {
    Tensor.#check(this);
    return this.#disposed || this.#data.length !== this.size;
  }

  /** Frees the memory now; all views of it have length 0 afterwards. A second call does nothing. */
  dispose(): void {
    Tensor.#check(this);
    this.#disposed = true;
    this.#handle.dispose();
  }

  /** As {@link Tensor.dispose}, for `using`. */
  [Symbol.dispose](): void {
    Tensor.#check(this);
    this.dispose();
  }

  static #check(value: unknown): void {
    if (typeof value === 'object' && value !== null && #handle in value) return;
    throw wrongThis('Tensor', value);
  }
}
