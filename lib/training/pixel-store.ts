import { randomBytes } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { GhostNetError } from '../errors.js';
import { reasonOf } from '../files.js';
import type { NativeTensor } from '../native/addon.js';
import { native } from '../native/load.js';

/** Where the decoded pictures of a training lie: square, RGB, of one size. */
export interface PixelStore {
  /** Side of a picture in pixels. */
  readonly side: number;
  /** 0 if the pictures are in a file. */
  readonly bytesInMemory: number;
  /** @param pixels - `side * side * 3` bytes */
  set(index: number, pixels: Uint8Array): Promise<void>;
  /** Copies pictures to a batch. @returns uint8 [N,side,side,3] */
  gather(indices: readonly number[]): Promise<NativeTensor>;
  close(): Promise<void>;
}

/** A place for pictures, in memory or in a file. */
interface Place {
  write(position: number, bytes: Uint8Array): Promise<void>;
  read(position: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** How large a store may become, and where. */
export interface StoreLimits {
  /** The most bytes in memory. */
  readonly memoryBytes: number;
  /** The folder of the file that takes more. */
  readonly folder: string;
}

/**
 * @param count - of the pictures
 * @param side - in pixels
 * @throws {@link GhostNetError} `GHOSTNET_OUT_OF_MEMORY`, `GHOSTNET_FILE_UNWRITABLE`
 */
export async function createPixelStore(
  count: number,
  side: number,
  limits: StoreLimits,
): Promise<PixelStore> {
  const each = side * side * 3;
  const bytes = count * each;
  const place = bytes <= limits.memoryBytes ? placeInMemory(bytes) : await placeInFile(limits.folder);
  return {
    side,
    bytesInMemory: bytes <= limits.memoryBytes ? bytes : 0,
    set: (index, pixels) => place.write(index * each, pixels),
    gather: async (indices) => {
      const batch = new (native().NativeTensor)('uint8', [indices.length, side, side, 3]);
      const all = new Uint8Array(batch.buffer);
      try {
        for (const [row, index] of indices.entries()) {
          await place.read(index * each, all.subarray(row * each, (row + 1) * each));
        }
        return batch;
      } catch (error) {
        batch.dispose();
        throw error;
      }
    },
    close: () => place.close(),
  };
}

function placeInMemory(bytes: number): Place {
  let memory: Uint8Array;
  try {
    memory = new Uint8Array(bytes);
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_OUT_OF_MEMORY', 'The decoded pictures do not fit in memory', {
      found: `${bytes} bytes`,
      remedy: 'Lower the option maxMemoryBytes: the pictures then go to a file.',
      cause,
    });
  }
  return {
    write: (position, from) => {
      memory.set(from, position);
      return Promise.resolve();
    },
    read: (position, into) => {
      into.set(memory.subarray(position, position + into.byteLength));
      return Promise.resolve();
    },
    close: () => {
      memory = new Uint8Array();
      return Promise.resolve();
    },
  };
}

/** The file has no name, so that nothing stays behind however the process ends. */
async function placeInFile(folder: string): Promise<Place> {
  const path = join(folder, `.ghostnet-pixels-${randomBytes(6).toString('hex')}`);
  const file = await orUnwritable(folder, async () => {
    const handle = await open(path, 'wx+', 0o600);
    await rm(path);
    return handle;
  });
  return {
    write: (position, from) => orUnwritable(folder, () => writeAll(file, from, position)),
    read: (position, into) => readAll(file, into, position, folder),
    close: () => file.close(),
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    done += (await file.write(bytes, done, bytes.byteLength - done, position + done)).bytesWritten;
  }
}

async function readAll(file: FileHandle, into: Uint8Array, position: number, folder: string): Promise<void> {
  for (let done = 0; done < into.byteLength;) {
    const { bytesRead } = await file.read(into, done, into.byteLength - done, position + done);
    if (bytesRead === 0) {
      throw new GhostNetError(
        'GHOSTNET_FILE_UNREADABLE',
        `The decoded pictures in ${folder} cannot be read`,
        {
          found: 'the end of their file',
        },
      );
    }
    done += bytesRead;
  }
}

async function orUnwritable<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new GhostNetError(
      'GHOSTNET_FILE_UNWRITABLE',
      `The decoded pictures cannot be written to ${folder}`,
      {
        found: reasonOf(cause),
        cause,
      },
    );
  }
}
