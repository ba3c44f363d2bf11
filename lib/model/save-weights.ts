import { writeSafetensors } from '../checkpoint/index.js';
import { writeBytes } from '../replace-file.js';
import type { Tensor } from '../tensor.js';
import { writeMetadata, type ModelMetadata } from './metadata.js';

/**
 * Writes a state dict and the description of its model to a safetensors file.
 *
 * @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_OUT_OF_MEMORY`
 */
export async function saveWeights(
  path: string,
  state: ReadonlyMap<string, Tensor<'float32' | 'int64'>>,
  model: ModelMetadata,
): Promise<void> {
  const arrays = [...state].map(([name, { dtype, shape, data }]) => {
    return [
      name,
      { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
    ] as const;
  });
  await writeBytes(path, writeSafetensors(arrays, writeMetadata(model)));
}
