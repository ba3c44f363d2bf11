import { types } from 'node:util';

import { quote } from '../check/words.js';
import type { ArrayDType } from './types.js';

/**
 * The values that a pickle can describe. None of them runs code: a value that cannot be part of a state dict becomes a
 * {@link PickleInert}, which records its origin and ignores every operation.
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

  /** Created on first use: a hostile pickle creates an empty dict with a single byte. */
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

/** The globals that have a meaning in a state dict; all others are inert. */
export type KnownGlobal = 'ordered-dict' | 'rebuild-tensor' | 'rebuild-parameter' | 'size' | 'storage';

/** A class or function that a pickle names. It is never looked up, let alone called. */
export class PickleGlobal {
  readonly known: KnownGlobal | undefined;

  /** @param path - module and name, for example `collections.OrderedDict` */
  constructor(readonly path: string) {
    this.known = storageTypes.has(path) ? 'storage' : knownGlobals.get(path);
  }
}

/** A storage that a pickle refers to; its elements are elsewhere in the file. */
export class PickleStorage {
  constructor(
    /** The path of its class. */
    readonly typePath: string,
    readonly key: string,
    /** The number of elements according to the pickle. */
    readonly count: number,
    /** Whether it is part of another storage, as PyTorch before 1.0 wrote it. */
    readonly isView: boolean,
  ) {}

  /** The properties of its class, or `undefined` if the class is unknown. */
  get type(): StorageType | undefined {
    return storageTypes.get(this.typePath);
  }
}

/** A tensor as described by the pickle, not yet checked: the arguments of PyTorch's rebuild function. */
export class PickleTensor {
  constructor(
    readonly args: readonly PickleValue[],
    /** The offset of the description, for messages. */
    readonly offset: number,
  ) {}
}

export class PickleInert {
  /** @param origin - a noun with its article, or the global that would have created the object */
  constructor(readonly origin: string | PickleGlobal) {}
}

/** A class of storages. */
export interface StorageType {
  readonly itemSize: number;
  /** The dtype, absent if this package does not have it. */
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

/** A value in words: a noun with its article. */
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
  if (types.isUint8Array(value)) return 'bytes';
  switch (typeof value) {
    case 'boolean':
      return 'a bool';
    case 'string':
      return 'a string';
    default:
      return 'a number';
  }
}
