import { quote } from '../check/words.js';
import type { ArrayDType } from './types.js';

/**
 * What a pickle can describe. Nothing of it runs: whatever is not data that a state dict is made of becomes an
 * {@link PickleInert}, which remembers what it would have been and ignores what is done to it.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleDict
  | PickleList
  | PickleTuple
  | PickleGlobal
  | PickleStorage
  | PickleTensor
  | PickleInert;

export class PickleDict {
  private map: Map<PickleValue, PickleValue> | undefined;

  /** Made when it is first needed: a hostile pickle makes an empty dict with a single byte. */
  get entries(): Map<PickleValue, PickleValue> {
    return (this.map ??= new Map());
  }
}

export class PickleList {
  readonly items: PickleValue[] = [];
}

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** The globals that mean something to a state dict; every other one is inert. */
export type KnownGlobal = 'ordered-dict' | 'rebuild-tensor' | 'rebuild-parameter' | 'size' | 'storage';

/** A class or function that a pickle names. It is never looked up, let alone called. */
export class PickleGlobal {
  readonly known: KnownGlobal | undefined;

  /** @param path - module and name, as in `collections.OrderedDict` */
  constructor(readonly path: string) {
    this.known = storageTypes.has(path) ? 'storage' : knownGlobals.get(path);
  }
}

/** A storage that a pickle refers to; its elements stand elsewhere in the file. */
export class PickleStorage {
  constructor(
    /** The path of its class. */
    readonly typePath: string,
    readonly key: string,
    /** The number of elements that the pickle claims. */
    readonly count: number,
    /** Whether it is a part of another storage: PyTorch before 1.0 wrote such. */
    readonly isView: boolean,
  ) {}

  /** What its class means, or `undefined` for a class that is unknown. */
  get type(): StorageType | undefined {
    return storageTypes.get(this.typePath);
  }
}

/** A tensor as the pickle describes it, unchecked: the arguments of PyTorch's rebuild function. */
export class PickleTensor {
  constructor(
    readonly args: readonly PickleValue[],
    /** Where the tensor was described, for messages. */
    readonly offset: number,
  ) {}
}

export class PickleInert {
  /** @param origin - what it would have been: a noun with its article, or the global that would have made it */
  constructor(readonly origin: string | PickleGlobal) {}
}

/** A class of storages. */
export interface StorageType {
  readonly itemSize: number;
  /** The dtype, absent where this package has none for it. */
  readonly dtype?: ArrayDType;
}

export const storageTypes: ReadonlyMap<string, StorageType> = new Map<string, StorageType>([
  ['torch.DoubleStorage', { itemSize: 8, dtype: 'float64' }],
  ['torch.FloatStorage', { itemSize: 4, dtype: 'float32' }],
  ['torch.HalfStorage', { itemSize: 2, dtype: 'float16' }],
  ['torch.BFloat16Storage', { itemSize: 2, dtype: 'bfloat16' }],
  ['torch.LongStorage', { itemSize: 8, dtype: 'int64' }],
  ['torch.IntStorage', { itemSize: 4, dtype: 'int32' }],
  ['torch.ShortStorage', { itemSize: 2, dtype: 'int16' }],
  ['torch.CharStorage', { itemSize: 1, dtype: 'int8' }],
  ['torch.ByteStorage', { itemSize: 1, dtype: 'uint8' }],
  ['torch.BoolStorage', { itemSize: 1, dtype: 'bool' }],
  ['torch.ComplexDoubleStorage', { itemSize: 16 }],
  ['torch.ComplexFloatStorage', { itemSize: 8 }],
  ['torch.QInt32Storage', { itemSize: 4 }],
  ['torch.QInt8Storage', { itemSize: 1 }],
  ['torch.QUInt8Storage', { itemSize: 1 }],
  ['torch.QUInt4x2Storage', { itemSize: 1 }],
  ['torch.QUInt2x4Storage', { itemSize: 1 }],
  ['torch.storage.UntypedStorage', { itemSize: 1 }],
]);

const knownGlobals: ReadonlyMap<string, KnownGlobal> = new Map<string, KnownGlobal>([
  ['collections.OrderedDict', 'ordered-dict'],
  ['torch._utils._rebuild_tensor', 'rebuild-tensor'],
  ['torch._utils._rebuild_tensor_v2', 'rebuild-tensor'],
  ['torch._utils._rebuild_parameter', 'rebuild-parameter'],
  ['torch._utils._rebuild_parameter_with_state', 'rebuild-parameter'],
  ['torch.Size', 'size'],
]);

/** What a value is, in words: a noun with its article. */
export function describeValue(value: PickleValue): string {
  if (value === null) return 'None';
  if (value instanceof PickleDict) return 'a dict';
  if (value instanceof PickleList) return 'a list';
  if (value instanceof PickleTuple) return 'a tuple';
  if (value instanceof PickleGlobal) return `the class or function ${quote(value.path)}`;
  if (value instanceof PickleStorage) return 'a bare storage';
  if (value instanceof PickleTensor) return 'a tensor';
  if (value instanceof PickleInert) {
    const { origin } = value;
    return typeof origin === 'string' ? origin : `an object of ${quote(origin.path)}`;
  }
  if (value instanceof Uint8Array) return 'bytes';
  switch (typeof value) {
    case 'boolean':
      return 'a bool';
    case 'string':
      return 'a string';
    default:
      return 'a number';
  }
}
