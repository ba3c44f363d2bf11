import { randomUUID } from 'node:crypto';
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { fileMode, readSmall } from './own-files.js';

/** The timing by which a lock shows that its holder is alive, in milliseconds. */
export interface LockTiming {
  /** How often the holder touches the lock file. */
  readonly heartbeatMs: number;
  /** How long the file may stay untouched before others consider the lock abandoned. */
  readonly staleMs: number;
}

/** The content of a lock file: a description of its holder. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the lock was taken, ISO 8601. */
  readonly started: string;
  readonly token: string;
}

/**
 * A lock between processes: a file that only one of them can create. A dead holder is detected by its missing heartbeats,
 * measured with the clock of the waiting process, so the clocks of several machines need not agree. A holder that was only
 * paused learns from {@link FileLock.isMine} that it lost the lock; check it before an action that must not happen twice.
 */
export class FileLock {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #content: string;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string, file: FileHandle, content: string, timing: LockTiming) {
    this.#path = path;
    this.#file = file;
    this.#content = content;
    // By the handle, not the path, which may lead to the file of a later holder.
    const touch = (): void => void file.utimes(new Date(), new Date()).catch(() => undefined);
    this.#heartbeat = setInterval(touch, timing.heartbeatMs);
  }

  /**
   * Waits until the lock is free or abandoned, and takes it.
   *
   * @throws the reason of the signal, or the error of the file system if the lock file cannot be created
   */
  static async acquire(path: string, timing: LockTiming, signal?: AbortSignal): Promise<FileLock> {
    let watched: { seen: string; since: number } | undefined;
    for (;;) {
      signal?.throwIfAborted();
      const lock = await FileLock.#create(path, timing);
      if (lock !== undefined) return lock;
      const seen = await observe(path);
      const now = performance.now();
      // A lock that has vanished is free in the next round; an unreadable lock can be abandoned like any other.
      if (watched?.seen !== seen.state) watched = { seen: seen.state, since: now };
      // A pid is meaningless on another machine and can mislead between containers: even a dead one gets two heartbeats.
      const patience = isDead(seen.content ?? '') ? 2 * timing.heartbeatMs : timing.staleMs;
      if (now - watched.since > patience) {
        await breakLock(path, seen.content);
        continue;
      }
      await sleep(timing.heartbeatMs / 4, undefined, signal === undefined ? {} : { signal });
    }
  }

  static async #create(path: string, timing: LockTiming): Promise<FileLock | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, 'wx', fileMode);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    }
    const holder: Holder = {
      pid: process.pid,
      host: hostname(),
      started: new Date().toISOString(),
      token: randomUUID(),
    };
    const content = JSON.stringify(holder);
    try {
      await file.writeFile(content);
      return new FileLock(path, file, content, timing);
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Whether the lock has not been broken since it was taken. */
  async isMine(): Promise<boolean> {
    return (await readContent(this.#path)) === this.#content;
  }

  /** Releases the lock. Never throws. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    try {
      await this.#file.close();
      if (await this.isMine()) await rm(this.#path, { force: true });
    } catch {
      // If the file remains, nobody touches it, and the next waiting process breaks the lock.
    }
  }
}

/** More than a lock file has. */
const longestContent = 4096;

/** The content of a lock file; undefined if there is none, empty if something else has its name. */
async function readContent(path: string): Promise<string | undefined> {
  const content = await readSmall(path, longestContent);
  if (content !== undefined) return content;
  return (await lstat(path).catch(ignoreAbsent)) === undefined ? undefined : '';
}

/** The lock file as it is now: its content, and a state that changes with every heartbeat. */
async function observe(path: string): Promise<{ content: string | undefined; state: string }> {
  const content = await readContent(path);
  const stats = await lstat(path, { bigint: true }).catch(ignoreAbsent);
  return { content, state: `${String(stats?.mtimeNs)} ${String(content)}` };
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function isDead(content: string): boolean {
  try {
    const holder = JSON.parse(content) as Partial<Holder>;
    if (holder.host !== hostname() || typeof holder.pid !== 'number') return false;
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * Removes an abandoned lock. Several processes may try at once: each moves the file to a unique name and checks its content.
 * A lock that was taken in the meantime is put back.
 */
export async function breakLock(path: string, abandoned: string | undefined): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // If a third process has taken the lock by now, the second learns from isMine that it lost its own.
  if ((await readContent(aside)) !== abandoned) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
