import type { KeysOf } from '../check/option.js';
import {
  countNotFinite,
  inSlices,
  narrowArrays,
  writeSafetensors,
  type NamedArray,
  type SavedDType,
} from '../checkpoint/index.js';
import type { Given } from '../native/addon.js';
import { abortable } from '../native/jobs.js';
import { writeBytes } from '../replace-file.js';
import type { Tensor } from '../tensor.js';
import { notFinite } from './finite-weights.js';
import { writeMetadata, type ModelMetadata } from './metadata.js';
import { stateKeys, type StateOptions } from './options.js';

/** Options of {@link GhostNet.save}. */
export interface SaveOptions extends StateOptions {
  /**
   * The number type of the weights in the file. `'float16'` and `'bfloat16'` halve it: numbers are rounded to the nearest, of two as
   * near to the even one. Counters stay int64. Default `'float32'`.
   */
  readonly dtype?: SavedDType;
}

export const saveKeys = { ...stateKeys, dtype: true } as const satisfies KeysOf<SaveOptions>;

async function refuseNotFinite(
  path: string,
  arrays: ReadonlyMap<string, NamedArray>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const counts = await abortable(signal, inSlices(countNotFinite(arrays), signal));
  if (counts.size > 0) throw notFinite(`The folded weights for ${path}`, { arrays }, counts);
}

/** The arrays of a state dict, which share its memory. */
export function arraysOf(
  state: ReadonlyMap<string, Tensor<'float32' | 'int64'>>,
): (readonly [name: string, array: NamedArray])[] {
  return [...state].map(([name, { dtype, shape, data }]) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return [name, { dtype, shape, data: bytes }] as const;
  });
}

/**
 * Writes a state dict and the description of its model to a safetensors file.
 *
 * @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_OUT_OF_MEMORY`,
 * `GHOSTNET_WEIGHTS_NOT_FINITE` if folded weights are NaN or infinite
 */
export async function saveWeights(
  path: string,
  state: ReadonlyMap<string, Tensor<'float32' | 'int64'>>,
  model: ModelMetadata,
  { dtype = 'float32', deploy = false, signal }: Given<SaveOptions>,
): Promise<void> {
  const arrays = arraysOf(state);
  // A variance below zero shows when it is folded.
  if (deploy) await refuseNotFinite(path, new Map(arrays), signal);
  const narrowing = inSlices(narrowArrays(arrays, dtype), signal);
  const narrow = await abortable(signal, narrowing);
  await writeBytes(path, writeSafetensors(narrow, writeMetadata(model)));
}
