/** The dtypes that a named array can have. */
export type ArrayDType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** One array of a weights file, in the dtype of the file. */
export interface NamedArray {
  readonly dtype: ArrayDType;
  /** Sizes of the axes; empty for a scalar. */
  readonly shape: readonly number[];
  /**
   * The elements, row-major, contiguous, little-endian. This may be a view of the bytes of the file, at any alignment: copy it
   * before creating a typed array of wider elements.
   */
  readonly data: Uint8Array;
}

/** The container of a weights file. */
export type ContainerFormat = 'safetensors' | 'torch-zip' | 'torch-legacy';

/** The arrays of a weights file, by the keys of the file. */
export interface ArrayFile {
  readonly format: ContainerFormat;
  /** In the order of the file. */
  readonly arrays: ReadonlyMap<string, NamedArray>;
  /** The metadata of a safetensors file; empty for the other containers. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The arrays of a network in a weights file, by their names in the network. */
export interface Checkpoint extends ArrayFile {
  /** The key of the state dict, for example `state_dict_ema`; absent if the file contains only the state dict. */
  readonly wrapper?: string;
  /** Why the averaged weights of the file were not taken; absent if they were, or there are none. */
  readonly fallback?: string;
  /** What was removed from the start of each key, for example `module.`; empty if nothing was. */
  readonly prefix: string;
  /** Names that were changed, without the prefix. */
  readonly renamed: readonly (readonly [from: string, to: string])[];
  /** Arrays that the file lacks, and that are zeros. */
  readonly filled: readonly string[];
  /** Keys skipped on purpose, as spelled in the file: those outside the prefix, and the counters of profilers. */
  readonly skipped: readonly string[];
  /** Those of them that stand where a classifier beside the network does, but are not one linear layer. */
  readonly unusedHead: readonly string[];
}
