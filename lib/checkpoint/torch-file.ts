import type { PickleStorage, PickleValue } from './pickle-values.js';

/** A file of torch.save, whichever its container: one object, and the storages that it refers to. */
export interface TorchFile {
  readonly format: 'torch-zip' | 'torch-legacy';
  readonly object: PickleValue;
  /**
   * The bytes of a storage, as a view of the file: exactly as many as the pickle claims.
   *
   * @throws GhostNetError `GHOSTNET_MALFORMED_FILE` when the file holds another number of them, or none
   */
  storageBytes(storage: PickleStorage): Uint8Array;
}
