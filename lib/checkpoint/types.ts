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

/** The named arrays of a weights file. */
export interface Checkpoint {
  readonly format: ContainerFormat;
  /** In the order of the file. */
  readonly arrays: ReadonlyMap<string, NamedArray>;
  /** The metadata of a safetensors file; empty for the other containers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The key of the state dict, for example `state_dict_ema`; absent if the file contains only the state dict. */
  readonly wrapper?: string;
  /** Keys skipped on purpose, as spelled in the file: the counters that profilers add to a state dict. */
  readonly skipped: readonly string[];
}
