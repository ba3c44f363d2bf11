import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { inWords } from './check/words.js';
import { GhostNetError, type ErrorCode } from './errors.js';

/** The path that a string or a `file:` URL names. @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function pathOf(file: string | URL): string {
  if (typeof file === 'string') return file;
  const isUrl = (file as unknown) instanceof URL;
  try {
    return fileURLToPath(file);
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The value does not name a file', {
      found: isUrl ? file.href : inWords(file),
      expected: 'a path or a file: URL',
      remedy: isUrl ? 'Download the file first and pass its path or its bytes.' : undefined,
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

/**
 * Reads a whole file, whose path is bytes if its name is not UTF-8.
 *
 * @throws {@link GhostNetError} `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`
 */
export async function readBytes(file: string | URL | Uint8Array): Promise<Buffer> {
  const path = file instanceof Uint8Array ? Buffer.from(file) : pathOf(file);
  try {
    return await readFile(path);
  } catch (cause) {
    const found = (cause as Error).message;
    throw new GhostNetError(codeOfReading(cause), `The file ${path.toString()} cannot be read`, {
      found,
      cause,
    });
  }
}

/**
 * Writes a whole file, or leaves an existing file unchanged. Readers never see a partial file.
 *
 * @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`
 */
export async function writeBytes(file: string | URL, bytes: Uint8Array): Promise<void> {
  const path = pathOf(file);
  const part = `${path}.${randomUUID()}.part`;
  try {
    const handle = await open(part, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => undefined);
    throw new GhostNetError('GHOSTNET_FILE_UNWRITABLE', `The file ${path} cannot be written`, {
      found: (cause as Error).message,
      cause,
    });
  }
}
