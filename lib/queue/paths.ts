import { closeSync, constants, fstatSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

import { quote } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { codeOfReading, kindOf, notOrdinary, reasonOf, remedyOfReading } from '../files.js';
import { ReadingPace, type ReadingCalls } from './reading-pace.js';

/** How long a folder is taken to be where it was, and how many are remembered. */
const rememberedMs = 1_000;
const mostRemembered = 1_000;

/** Reads files in one folder, and none outside, whatever a path or a link says. */
export class FolderReader {
  readonly #root: string;
  readonly #pace = new ReadingPace();
  /** Where folders really are, and until when that is believed. */
  readonly #folders = new Map<string, { readonly real: string; readonly until: number }>();

  private constructor(root: string) {
    this.#root = root;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE` */
  static async open(root: string): Promise<FolderReader> {
    try {
      return new FolderReader(await realpath(root));
    } catch (cause) {
      throw unreadable(`The root folder ${root}`, cause);
    }
  }

  /**
   * @throws {@link GhostNetError} `GHOSTNET_NOT_ALLOWED`, `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`,
   * `GHOSTNET_FILE_TOO_LARGE`, `GHOSTNET_OUT_OF_MEMORY`
   */
  async read(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const full = resolve(this.#root, path);
    // Before the file system is asked: a job must not find out what is outside.
    if (!isAbsolute(path) && !isInside(this.#root, full)) throw outside(path);
    try {
      const folder = await this.#realFolder(dirname(full));
      const { calls } = this.#pace;
      const descriptor = await this.#open(path, join(folder, basename(full)), calls);
      try {
        return await contentOf(path, descriptor, calls, maxBytes, signal);
      } finally {
        closeSync(descriptor);
      }
    } catch (cause) {
      if (cause instanceof GhostNetError || signal.aborted) throw cause;
      throw isInside(this.#root, full) ? unreadable(`The file ${path}`, cause) : outside(path);
    }
  }

  async #open(path: string, real: string, { open }: ReadingCalls): Promise<number> {
    if (!isInside(this.#root, real)) throw outside(path);
    // A FIFO without a writer must not hold up a thread.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    try {
      return await open(real, flags | constants.O_NOFOLLOW);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ELOOP') throw cause;
    }
    const target = await realpath(real);
    if (!isInside(this.#root, target)) throw outside(path);
    return open(target, flags | constants.O_NOFOLLOW);
  }

  async #realFolder(folder: string): Promise<string> {
    const now = performance.now();
    const known = this.#folders.get(folder);
    if (known !== undefined && now < known.until) return known.real;
    const real = await realpath(folder);
    if (this.#folders.size >= mostRemembered) this.#folders.clear();
    this.#folders.set(folder, { real, until: now + rememberedMs });
    return real;
  }
}

async function contentOf(
  path: string,
  descriptor: number,
  { read }: ReadingCalls,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  // The system has just looked at the file: this does not wait.
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) throw notOrdinary(path, kindOf(stats));
  if (stats.size > maxBytes) {
    throw new GhostNetError('GHOSTNET_FILE_TOO_LARGE', `The image ${path} is too large`, {
      found: `${stats.size} bytes`,
      expected: `at most ${maxBytes} bytes, the option maxImageBytes`,
    });
  }
  const bytes = Buffer.allocUnsafeSlow(stats.size);
  let done = 0;
  while (done < bytes.length) {
    signal.throwIfAborted();
    const count = await read(descriptor, bytes, done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** Whether a path is below a folder. Both are absolute. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function unreadable(what: string, cause: unknown): GhostNetError {
  return new GhostNetError(codeOfReading(cause), `${what} cannot be read`, {
    found: reasonOf(cause),
    remedy: remedyOfReading(cause),
    cause,
  });
}

function outside(path: string): GhostNetError {
  return new GhostNetError(
    'GHOSTNET_NOT_ALLOWED',
    'The job names a file outside the root folder of the worker',
    {
      found: quote(path),
    },
  );
}
