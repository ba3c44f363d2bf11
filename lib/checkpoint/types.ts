/** The dtypes that a named array can have. */
export type ArrayDType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** One array of a weights file, in the dtype that the file stores: nothing is converted here. */
export interface NamedArray {
  readonly dtype: ArrayDType;
  /** Sizes of the axes; empty for a scalar. */
  readonly shape: readonly number[];
  /**
   * The elements, row-major, contiguous, little-endian. This may be a view into the bytes of the file, at any
   * alignment: copy it before making a typed array of a wider element.
   */
  readonly data: Uint8Array;
}

/** How the bytes of a weights file are arranged. */
export type ContainerFormat = 'safetensors' | 'torch-zip' | 'torch-legacy';

/** The named arrays of a weights file. */
export interface Checkpoint {
  readonly format: ContainerFormat;
  /** In the order of the file. */
  readonly arrays: ReadonlyMap<string, NamedArray>;
  /** The metadata of a safetensors file; empty for the other containers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The key that held the state dict, `state_dict_ema` for example; absent when the file holds it flat. */
  readonly wrapper?: string;
  /** Keys left out on purpose, as the file spells them: the counters that profilers add to a state dict. */
  readonly skipped: readonly string[];
}
