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
};

/** Reads a whole file. @throws {@link GhostNetError} `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE` */
export async function readBytes(file: string | URL): Promise<Buffer> {
  const path = pathOf(file);
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause as NodeJS.ErrnoException;
    const code = codes[reason.code ?? ''] ?? 'GHOSTNET_FILE_UNREADABLE';
    throw new GhostNetError(code, `The file ${path} cannot be read`, { found: reason.message, cause });
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
