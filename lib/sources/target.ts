import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';

import { toPath, type RawPath } from './raw-path.js';

/** What a path leads to, links followed. */
export interface Target {
  /** Undefined if the system does not tell. */
  readonly kind?: Kind;
  /** Why it does not. */
  readonly cause?: unknown;
}

/** A file, a folder, or in words what else the system has. */
export type Kind = 'file' | 'folder' | 'a FIFO' | 'a socket' | 'a device';

/** Looks where a path leads, without opening it: to open a FIFO or a device can wait for ever. */
export async function targetOf(path: RawPath): Promise<Target> {
  try {
    return { kind: kindOf(await stat(toPath(path))) };
  } catch (cause) {
    return { cause };
  }
}

/** Identifies a folder, by whatever path it was reached. */
export async function identityOf(folder: RawPath): Promise<string> {
  // A double does not hold every inode number.
  const { dev, ino } = await stat(toPath(folder), { bigint: true });
  return `${dev}:${ino}`;
}

function kindOf(stats: Stats): Kind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}
