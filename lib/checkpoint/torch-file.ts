import type { PickleStorage, PickleValue } from './pickle-values.js';

/** A file of torch.save in either container: one object, and the storages that it refers to. */
export interface TorchFile {
  readonly format: 'torch-zip' | 'torch-legacy';
  readonly object: PickleValue;
  /**
   * The bytes of a storage, as a view of the file: exactly as many as the pickle states.
   *
   * @throws GhostNetError `GHOSTNET_MALFORMED_FILE` if the file contains another number of bytes, or none
   */
  storageBytes(storage: PickleStorage): Uint8Array;
}
