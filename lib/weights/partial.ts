import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { writing } from './cache.js';
import { fileMode, openOwn, readOwn, writeOwn } from './own-files.js';
import { hashFile, recordVerified } from './verified.js';

/**
 * A partial download: `<file>.partial`, with the entity tag of its version in a file beside it. Both stay after an interrupted
 * download, so that the next one can resume it. The methods throw `GHOSTNET_CACHE_UNWRITABLE`.
 */
export class PartialFile {
  readonly #path: string;
  readonly #file: FileHandle;
  #size: number;
  #etag: string | undefined;
  #pieced: boolean;

  private constructor(path: string, file: FileHandle, size: number, etag: string | undefined) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#etag = etag;
    this.#pieced = size > 0;
  }

  /** Opens a partial file, or creates it. */
  static open(path: string): Promise<PartialFile> {
    return writing(path, async () => {
      // In a new file: a process that lost its lock while paused may continue to write into the old one.
      const fresh = `${partialPath(path)}.${randomUUID()}`;
      const file = await open(fresh, 'ax+', fileMode);
      try {
        await copyOwn(partialPath(path), file);
        await rename(fresh, partialPath(path));
        const { size } = await file.stat();
        return new PartialFile(path, file, size, size > 0 ? await readEtag(path) : undefined);
      } catch (error) {
        await file.close();
        await rm(fresh, { force: true });
        throw error;
      }
    });
  }

  /** Bytes that have arrived. */
  get size(): number {
    return this.#size;
  }

  /** The strong entity tag of the version of the bytes, if the server sent one. */
  get etag(): string | undefined {
    return this.#etag;
  }

  /** Whether the bytes come from several responses, and so perhaps from several versions. */
  get isPieced(): boolean {
    return this.#pieced;
  }

  /** Discards all bytes. */
  async restart(): Promise<void> {
    await writing(this.#path, () => this.#file.truncate(0));
    this.#size = 0;
    this.#etag = undefined;
    this.#pieced = false;
  }

  /** Records that the next bytes come from another response. */
  async beginResponse(etag: string | undefined): Promise<void> {
    if (this.#size > 0) {
      this.#pieced = true;
      return;
    }
    const path = etagPath(this.#path);
    await writing(path, () => (etag === undefined ? rm(path, { force: true }) : writeOwn(path, etag)));
    this.#etag = etag;
  }

  async append(chunk: Uint8Array): Promise<void> {
    await writing(this.#path, () => this.#file.appendFile(chunk));
    this.#size += chunk.length;
  }

  /** SHA-256 of the bytes, read back from the file. */
  async sha256(signal?: AbortSignal): Promise<string> {
    await writing(this.#path, () => this.#file.sync());
    return hashFile(this.#file, signal);
  }

  /** Turns the partial file into the finished file, once its checksum is known; others see all of it or nothing. */
  async finish(sha256: string): Promise<void> {
    await writing(this.#path, async () => {
      // First the record: without it, and without a checksum in the registry, the file could not be told from a damaged one.
      await recordVerified(this.#path, this.#file, sha256);
      await rename(partialPath(this.#path), this.#path);
      await rm(etagPath(this.#path), { force: true });
    });
    await syncFolder(dirname(this.#path));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** A strong entity tag, which identifies every byte; with a weak tag a download cannot be resumed. */
export function strongEtag(etag: string | undefined): string | undefined {
  return etag !== undefined && /^"[\x21\x23-\x7e]{0,512}"$/.test(etag) ? etag : undefined;
}

const partialPath = (path: string): string => `${path}.partial`;
const etagPath = (path: string): string => `${path}.partial.etag`;

/** More than a strong entity tag may have. */
const longestEtag = 1024;

async function readEtag(path: string): Promise<string | undefined> {
  return strongEtag(await readOwn(etagPath(path), longestEtag));
}

/** Copies what an earlier download of this user has left; what is anybody else's, or no file, counts as nothing. */
async function copyOwn(path: string, to: FileHandle): Promise<void> {
  const from = await openOwn(path);
  if (from === undefined) return;
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (;;) {
      const { bytesRead } = await from.read(buffer);
      if (bytesRead === 0) return;
      await to.appendFile(buffer.subarray(0, bytesRead));
    }
  } finally {
    await from.close();
  }
}

/** Makes a rename survive a power failure, if the system can. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // Windows cannot.
  }
}
