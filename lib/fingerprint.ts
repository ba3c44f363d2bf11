import { createHash } from 'node:crypto';

import type { NativeDescription } from './native/addon.js';
import type { Tensor } from './tensor.js';

/** A model, as far as a fingerprint needs it: a {@link GhostNet}. */
export interface Fingerprinted {
  readonly info: NativeDescription;
  stateDict(): Promise<ReadonlyMap<string, Tensor<'float32' | 'int64'>>>;
}

/**
 * The SHA-256 of everything that decides what a model computes for an image: its weights, stages and transform. Labels, precision,
 * device and threads are not part of it. Equal models have equal fingerprints, on every machine and from every kind of file.
 *
 * @returns 64 hexadecimal digits
 * @throws {@link GhostNetError} `GHOSTNET_DISPOSED`, `GHOSTNET_OUT_OF_MEMORY`
 */
export async function fingerprintOf(model: Fingerprinted): Promise<string> {
  const { stages, width, inputSize, crop, interpolation, mean, std } = model.info;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([stages, width, inputSize, crop, interpolation, mean, std]));
  const state = await model.stateDict();
  const sorted = [...state].sort(([first], [second]) => (first < second ? -1 : 1));
  for (const [name, tensor] of sorted) {
    const { dtype, shape, data } = tensor;
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    tensor.dispose();
  }
  return hash.digest('hex');
}
