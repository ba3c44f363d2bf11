import { quote } from '../check/words.js';
import { elementCount, itemSizes } from './array.js';
import { malformed, unsupported } from './faults.js';
import {
  describeValue,
  PickleDict,
  PickleGlobal,
  PickleInert,
  PickleStorage,
  PickleTensor,
  PickleTuple,
  type PickleValue,
} from './pickle-values.js';
import type { Sliced } from './slices.js';
import type { TorchFile } from './torch-file.js';
import type { NamedArray } from './types.js';

/** Other kinds of PyTorch tensors in a state dict, by the function that rebuilds them. */
const otherTensors: ReadonlyMap<string, string> = new Map([
  ['torch._utils._rebuild_qtensor', 'a quantised tensor'],
  ['torch._utils._rebuild_sparse_tensor', 'a sparse tensor'],
  ['torch._utils._rebuild_sparse_csr_tensor', 'a sparse tensor'],
  ['torch._utils._rebuild_nested_tensor', 'a nested tensor'],
  ['torch._utils._rebuild_meta_tensor_no_storage', 'a tensor of the meta device, which has no data'],
  ['torch._utils._rebuild_tensor_v3', 'a tensor of a dtype without its own storage class'],
]);

/** The argument of the rebuild function that changes the meaning of the elements: a lazy negation or conjugation. */
const metadataIndex = 6;

/** The bytes that are copied between two pauses. */
const pieceBytes = 1 << 17;

/** From here on a copy of a view is faster than one byte after another. */
const longRun = 256;

const saveDense = 'Convert it to a dense tensor of float32, float16 or bfloat16 before saving.';

const saveContiguous =
  'Save them with elements of their own. In Python: state = {k: v.contiguous() for k, v in state.items()}.';

/** Converts the tensors of one file to arrays. */
export class TensorReader {
  /** Bytes that may still be copied for non-contiguous tensors: views of one storage could require any number. */
  private copyBudget: number;

  constructor(
    private readonly file: TorchFile,
    fileLength: number,
    private readonly source: string,
  ) {
    this.copyBudget = fileLength;
  }

  /**
   * The array of a value in a state dict: a view of the file if the tensor is contiguous, else a copy.
   *
   * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` if the value is not a tensor, or a tensor of an unsupported kind;
   *   `GHOSTNET_MALFORMED_FILE` if the tensor reaches outside its storage
   */
  *read(name: string, value: PickleValue): Sliced<NamedArray> {
    if (!(value instanceof PickleTensor)) {
      const other = otherTensor(value);
      throw unsupported(
        this.source,
        `${quote(name)} in the state dict is ${other ?? describeValue(value)}`,
        other === undefined
          ? 'Save only the state dict of the model, without other values in it.'
          : saveDense,
      );
    }
    const fail = (what: string) => malformed(this.source, value.offset, `tensor ${quote(name)} ${what}`);
    const [storage, offset, size, stride] = value.args;
    const shape = sizes(size);
    const strides = sizes(stride);
    if (!(storage instanceof PickleStorage) || shape === undefined || strides?.length !== shape.length) {
      throw fail('is described wrongly');
    }
    const dtype = storage.type?.dtype;
    if (dtype === undefined || storage.isView) {
      const what = storage.isView
        ? 'part of another storage (PyTorch before 1.0)'
        : `a ${quote(storage.typePath)}`;
      throw unsupported(this.source, `tensor ${quote(name)} lies in ${what}`, saveDense);
    }
    const metadata = value.args[metadataIndex] ?? null;
    if (metadata !== null && !(metadata instanceof PickleDict && metadata.entries.size === 0)) {
      throw unsupported(
        this.source,
        `tensor ${quote(name)} is a lazily negated or conjugated view`,
        saveDense,
      );
    }
    const count = elementCount(shape);
    if (count === undefined) throw fail('has a shape whose size cannot be counted');
    const bytes = this.file.storageBytes(storage);
    const itemSize = itemSizes[dtype];
    if (count === 0) return { dtype, shape, data: bytes.subarray(0, 0) };
    if (!isSize(offset)) throw fail('is described wrongly');
    if (lastElement(offset, shape, strides) >= storage.count) throw fail('reaches beyond its storage');
    if (isContiguous(shape, strides)) {
      return { dtype, shape, data: bytes.subarray(offset * itemSize, (offset + count) * itemSize) };
    }
    this.copyBudget -= count * itemSize;
    if (this.copyBudget < 0) {
      const what = `tensor ${quote(name)} and others that are views or expanded are larger than the whole file`;
      throw malformed(this.source, value.offset, what, { remedy: saveContiguous });
    }
    return { dtype, shape, data: yield* gather(bytes, itemSize, offset, shape, strides) };
  }
}

/** The shape of a tensor, as the file states it; undefined for anything else. */
export function shapeOf(value: PickleValue): readonly number[] | undefined {
  return value instanceof PickleTensor ? sizes(value.args[2]) : undefined;
}

/** Whether a value is a PyTorch tensor, though perhaps of a kind that {@link TensorReader} cannot read. */
export function isTensor(value: PickleValue): boolean {
  return value instanceof PickleTensor || otherTensor(value) !== undefined;
}

function otherTensor(value: PickleValue): string | undefined {
  const origin = value instanceof PickleInert ? value.origin : undefined;
  return origin instanceof PickleGlobal ? otherTensors.get(origin.path) : undefined;
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function sizes(value: PickleValue | undefined): readonly number[] | undefined {
  return value instanceof PickleTuple && value.items.every(isSize) ? value.items : undefined;
}

/**
 * The index of the last element of a tensor in its storage. All summands are whole and none is negative, so a sum too large to
 * be exact is still beyond any storage: neither rounding nor overflow can bring an element back inside.
 */
function lastElement(offset: number, shape: readonly number[], strides: readonly number[]): number {
  return shape.reduce((last, size, axis) => last + (size - 1) * (strides[axis] ?? 0), offset);
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  return contiguousFrom(shape, strides) === 0;
}

/** The first axis from which the elements are contiguous. */
function contiguousFrom(shape: readonly number[], strides: readonly number[]): number {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1;
    if (size === 1) continue; // its stride is never used
    if (strides[axis] !== expected) return axis + 1;
    expected *= size;
  }
  return 0;
}

/** Copies the elements of a strided tensor in row-major order. */
function* gather(
  storage: Uint8Array,
  itemSize: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Sliced<Uint8Array> {
  const inner = contiguousFrom(shape, strides);
  const run = shape.slice(inner).reduce((product, size) => product * size, itemSize);
  const outerShape = shape.slice(0, inner);
  const outerSteps = strides.slice(0, inner).map((stride) => stride * itemSize);
  const index = outerShape.map(() => 0);
  const data = new Uint8Array(shape.reduce((product, size) => product * size, itemSize));
  let from = offset * itemSize;
  let pause = pieceBytes;
  for (let to = 0; to < data.byteLength; to += run) {
    if (to >= pause) {
      pause = to + pieceBytes;
      yield;
    }
    if (run >= longRun) data.set(storage.subarray(from, from + run), to);
    else for (let byte = 0; byte < run; byte += 1) data[to + byte] = storage[from + byte] ?? 0;
    for (let axis = inner - 1; axis >= 0; axis -= 1) {
      const step = outerSteps[axis] ?? 0;
      const next = (index[axis] ?? 0) + 1;
      if (next < (outerShape[axis] ?? 1)) {
        index[axis] = next;
        from += step;
        break;
      }
      index[axis] = 0;
      from -= step * (next - 1);
    }
  }
  return data;
}
