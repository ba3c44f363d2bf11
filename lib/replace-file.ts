import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { open, readlink, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { GhostNetError } from './errors.js';
import { kindOf, pathOf, reasonOf, remedyOfReading } from './files.js';

/** The file that a path leads to. */
interface Target {
  /** Without a link at its end. */
  readonly path: string;
  /** Undefined if there is no file yet. */
  readonly existing: Stats | undefined;
}

/**
 * Writes a whole file, or leaves an existing file unchanged. Readers never see a partial file. Symbolic links are followed, an
 * existing file keeps its mode, and its owner as far as the system lets this process set it. What is neither absent nor a
 * regular file is not replaced.
 *
 * @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`; `GHOSTNET_INVALID_ARGUMENT` for a path that no file can have
 */
export async function writeBytes(file: string | URL, bytes: Uint8Array): Promise<void> {
  const path = pathOf(file);
  if (path === '' || path.includes('\0')) {
    throw new GhostNetError(
      'GHOSTNET_INVALID_ARGUMENT',
      'The path of the file to write is empty or has a null byte',
      {
        found: JSON.stringify(path),
        expected: 'the path of a file',
      },
    );
  }
  try {
    await replace(await targetOf(path), bytes);
  } catch (cause) {
    if (cause instanceof GhostNetError) throw cause;
    throw new GhostNetError('GHOSTNET_FILE_UNWRITABLE', `The file ${path} cannot be written`, {
      found: reasonOf(cause),
      remedy: remedyOfReading(cause),
      cause,
    });
  }
}

async function targetOf(path: string): Promise<Target> {
  const existing = await stat(path).catch(ignoreAbsent);
  if (existing === undefined) return { path: await endOfLinks(path), existing };
  if (existing.isFile()) return { path: await realpath(path), existing };
  throw new GhostNetError('GHOSTNET_FILE_UNWRITABLE', `The file ${path} cannot be written`, {
    found: kindOf(existing),
    expected: 'a regular file, or a path at which there is nothing',
    remedy: 'Pass another path.',
  });
}

/** The path of a file that does not exist, to which links may lead. */
async function endOfLinks(path: string): Promise<string> {
  // A circle of links is an error of stat() already, so this ends.
  const target = await readlink(path).catch(() => undefined);
  return target === undefined ? path : endOfLinks(resolve(await realpath(dirname(path)), target));
}

async function replace({ path, existing }: Target, bytes: Uint8Array): Promise<void> {
  // A short name: that of the file may be as long as the file system allows.
  const part = join(dirname(path), `.ghostnet-${randomBytes(6).toString('hex')}.part`);
  // Until it has the mode of the existing file, nobody else may read it.
  const handle = await open(part, 'wx', existing === undefined ? 0o666 : 0o600);
  try {
    try {
      await handle.writeFile(bytes);
      if (existing !== undefined) await keepOwner(handle, existing);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function keepOwner(handle: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const made = await handle.stat();
  let kept = mode & 0o777;
  if (made.uid !== uid || made.gid !== gid) {
    const setsOwner = await handle.chown(uid, gid).then(isDone, isRefused);
    const setsGroup = setsOwner || (await handle.chown(made.uid, gid).then(isDone, isRefused));
    // Another group was never meant to have the rights of the old one.
    if (!setsGroup) kept &= 0o707;
  }
  await handle.chmod(kept);
}

const isDone = (): boolean => true;
const isRefused = (): boolean => false;

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
