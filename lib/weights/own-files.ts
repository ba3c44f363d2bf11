import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants, lstat, mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

// Files in a cache into which other users may be able to write: no link of theirs is followed, nothing waits for a FIFO of theirs,
// and nothing of theirs is believed.

/** Of files and folders, less the umask: others may read them, but a file that they could change would not be believed. */
export const fileMode = 0o644;
const folderMode = 0o755;

/** Whether only this user, or root, can have written a file. */
export function isOwn({ uid, mode }: Pick<Stats, 'uid' | 'mode'>): boolean {
  if (process.geteuid === undefined) return true;
  return (uid === process.geteuid() || uid === 0) && (mode & 0o022) === 0;
}

/** Opens a regular file without following a link. @returns undefined if there is none that can be read */
async function openRegular(path: string): Promise<{ file: FileHandle; stats: Stats } | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const stats = await file.stat();
  if (stats.isFile()) return { file, stats };
  await file.close();
  return undefined;
}

/** Opens a regular file that only this user can have written. */
export async function openOwn(path: string): Promise<FileHandle | undefined> {
  const opened = await openRegular(path);
  if (opened === undefined || isOwn(opened.stats)) return opened?.file;
  await opened.file.close();
  return undefined;
}

/** The text of a small regular file. @returns undefined if there is none, or it is longer than `most` bytes */
export async function readSmall(path: string, most: number): Promise<string | undefined> {
  return textOf((await openRegular(path))?.file, most);
}

/** As {@link readSmall}, if only this user can have written it. */
export async function readOwn(path: string, most: number): Promise<string | undefined> {
  return textOf(await openOwn(path), most);
}

async function textOf(file: FileHandle | undefined, most: number): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(most + 1), 0, most + 1, 0);
    return bytesRead > most ? undefined : buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Writes a small file in place of whatever is there, a link too. */
export async function writeOwn(path: string, content: string | Uint8Array): Promise<void> {
  const fresh = `${path}.${randomUUID()}`;
  const file = await open(fresh, 'wx', fileMode);
  try {
    await file.writeFile(content).finally(() => file.close());
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/**
 * Creates a folder and those above it. Node's own recursive mkdir never ends where the system reports a missing folder above one
 * that it does not let anybody create, as in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  if (await makeOne(path)) return;
  const above = dirname(path);
  if (above !== path) await makeFolder(above);
  if (await makeOne(path)) return;
  await mkdir(path, folderMode);
}

/** @returns false if the folder above is missing */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path, folderMode);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return true;
    throw error;
  }
}

/** The first folder on the way from one folder down to another that is a link which another user has made. */
export async function foreignLink(from: string, down: string): Promise<string | undefined> {
  if (down === from || down === dirname(down)) return undefined;
  const stats = await lstat(down);
  const isForeign = stats.isSymbolicLink() && !isOwn({ uid: stats.uid, mode: 0 });
  return (await foreignLink(from, dirname(down))) ?? (isForeign ? down : undefined);
}
