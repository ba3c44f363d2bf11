import { constants, open, stat, statfs, type FileHandle } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { isUrl } from './check/kinds.js';
import { inWords, messageOf } from './check/words.js';
import { GhostNetError, type ErrorCode } from './errors.js';

/** The path that a string or a `file:` URL names. @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function pathOf(file: string | URL): string {
  if (typeof file === 'string') return file;
  try {
    return fileURLToPath(file);
  } catch (cause) {
    const isOther = isUrl(file);
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The value does not name a file', {
      found: isOther ? file.href : inWords(file),
      expected: 'a path or a file: URL',
      remedy: isOther ? 'Download the file first and pass its path or its bytes.' : undefined,
      cause,
    });
  }
}

const codes: Record<string, ErrorCode> = {
  ENOENT: 'GHOSTNET_FILE_NOT_FOUND',
  ENOTDIR: 'GHOSTNET_FILE_NOT_FOUND',
  // A path with a zero byte, which no file can have.
  ERR_INVALID_ARG_VALUE: 'GHOSTNET_FILE_NOT_FOUND',
};

/** The code for a failure of the system to find or read a file: `GHOSTNET_FILE_NOT_FOUND` or `GHOSTNET_FILE_UNREADABLE`. */
export function codeOfReading(cause: unknown): ErrorCode {
  return codes[(cause as NodeJS.ErrnoException).code ?? ''] ?? 'GHOSTNET_FILE_UNREADABLE';
}

/** What the system says of a file, without the path, which the message has already. */
export function reasonOf(cause: unknown): string {
  return messageOf(cause).replace(/, \w+ '.*$/s, '');
}

/**
 * What to do if the system fails to open a file for a reason that is not the file's; else undefined.
 *
 * @param cause - an error, or what it says
 */
export function remedyOfReading(cause: unknown): string | undefined {
  const text = typeof cause === 'string' ? cause : messageOf(cause);
  if (!/\b(EMFILE|ENFILE)\b|too many open files/i.test(text)) return undefined;
  return 'Raise the limit of open files (`ulimit -n`), or keep fewer files and connections open at a time.';
}

/** What stands at a path if it is no regular file, in words. */
export function kindOf(stats: Pick<Stats, 'isDirectory' | 'isFIFO' | 'isSocket'>): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** The types of file systems whose files are made when they are read: of processes, devices, control groups and the kernel. */
const madeFileSystems: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x73636673, // securityfs
  0x62656570, // configfs
  0xf97cff8c, // selinux
  0xde5e81e4, // efivarfs
]);

/**
 * Whether a file that counts as regular has no content of its own: it is made when it is read, and its size is not that of its
 * content. To read one can wait, or have no end.
 */
export async function isMadeOnReading(path: string | Buffer, known?: Stats): Promise<boolean> {
  try {
    const stats = known ?? (await stat(path));
    if (!stats.isFile()) return false;
    return madeFileSystems.has((await statfs(path)).type) || (stats.size === 0 && (await hasBytes(path)));
  } catch {
    return false;
  }
}

async function hasBytes(path: string | Buffer): Promise<boolean> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return (await handle.read(Buffer.alloc(1), 0, 1, null)).bytesRead > 0;
  } finally {
    await handle.close();
  }
}

/** The error for something that is no regular file, or no more than looks like one. */
export function notOrdinary(path: string, found: string): GhostNetError {
  return new GhostNetError('GHOSTNET_FILE_UNREADABLE', `The file ${path} cannot be read`, {
    found,
    expected: 'a regular file',
  });
}

/** In words, what {@link isMadeOnReading} finds. */
export const madeOnReading = 'a file that the system makes when it is read, as in /proc';

/** Options of {@link readBytes}. */
export interface ReadFileOptions {
  /** The most bytes of a file. Default {@link defaultMaxFileBytes}. */
  readonly maxFileBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Twenty times a training checkpoint of the widest GhostNet that is published. */
export const defaultMaxFileBytes = 2 ** 31;

/** The bytes that are read between two looks at the signal. */
const chunkBytes = 1 << 24;

/**
 * Reads a whole regular file. What is anything else, a FIFO or a device, is not read.
 *
 * @throws {@link GhostNetError} `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_FILE_TOO_LARGE`,
 * `GHOSTNET_OUT_OF_MEMORY`; the reason of the signal
 */
export async function readBytes(file: string | URL, options: ReadFileOptions = {}): Promise<Uint8Array> {
  const path = pathOf(file);
  try {
    // A FIFO without a writer must not hold up the thread.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readAll(path, handle, options);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof GhostNetError) throw cause;
    options.signal?.throwIfAborted();
    const found = reasonOf(cause);
    const remedy = remedyOfReading(cause);
    throw new GhostNetError(codeOfReading(cause), `The file ${path} cannot be read`, {
      found,
      remedy,
      cause,
    });
  }
}

async function readAll(
  path: string,
  handle: FileHandle,
  { maxFileBytes = defaultMaxFileBytes, signal }: ReadFileOptions,
): Promise<Uint8Array> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw notOrdinary(path, kindOf(stats));
  if (await isMadeOnReading(path, stats)) throw notOrdinary(path, madeOnReading);
  if (stats.size > maxFileBytes) {
    throw new GhostNetError('GHOSTNET_FILE_TOO_LARGE', `The file ${path} is too large`, {
      found: `${stats.size} bytes`,
      expected: `at most ${maxFileBytes} bytes, the option maxFileBytes`,
    });
  }
  const bytes = allocate(path, stats.size);
  for (let done = 0; done < bytes.byteLength;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(bytes, done, Math.min(chunkBytes, bytes.byteLength - done), done);
    if (bytesRead === 0) {
      throw new GhostNetError(
        'GHOSTNET_FILE_UNREADABLE',
        `The file ${path} became shorter while it was read`,
        {
          found: `${done} bytes`,
          expected: `${bytes.byteLength} bytes`,
        },
      );
    }
    done += bytesRead;
  }
  return bytes;
}

function allocate(path: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_OUT_OF_MEMORY', `The file ${path} does not fit in memory`, {
      found: `${length} bytes`,
      cause,
    });
  }
}
