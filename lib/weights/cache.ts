import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

import { checkObject, checkText, reading } from '../check/option.js';
import { inWords } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { findWeights, type WeightsEntry } from './registry.js';
import { verifiedSha256 } from './verified.js';

/** The properties of a process that determine the place of its cache. */
export interface CacheSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/** Where to look for downloaded weights. */
export interface CacheOptions {
  /** The cache folder. Default {@link cacheFolder}. */
  readonly cacheDir?: string | undefined;
  /** The published weights. Default {@link weightsRegistry}. */
  readonly registry?: readonly WeightsEntry[] | undefined;
}

/**
 * The absolute path of the cache folder: `GHOSTNET_CACHE`, else `$XDG_CACHE_HOME/ghostnet`, else the usual place for caches
 * of the operating system. It need not exist.
 *
 * @param surroundings - default: those of this process
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`; `GHOSTNET_CACHE_UNWRITABLE` if there is no home folder and no
 * variable says where else to go, or a variable names a relative path in a folder that was removed
 */
export function cacheFolder(surroundings?: CacheSurroundings): string {
  if (surroundings === undefined) return folderOf(process.env, process.platform, ownHome);
  return reading(() => {
    checkObject('surroundings', surroundings);
    const { env, platform, home } = surroundings;
    checkObject('env', env);
    return folderOf(env, platform, () => {
      checkText('home', home);
      return home;
    });
  });
}

/** @throws {@link GhostNetError} `GHOSTNET_CACHE_UNWRITABLE` if the user has none, as in some containers */
function ownHome(): string {
  try {
    return homedir();
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_CACHE_UNWRITABLE', 'This user has no home folder for the cache', {
      cause,
    });
  }
}

function folderOf(
  env: CacheSurroundings['env'],
  platform: NodeJS.Platform,
  homeFolder: () => string,
): string {
  const own = env.GHOSTNET_CACHE;
  if (own !== undefined && own !== '') return absolute(own);
  const xdg = env.XDG_CACHE_HOME;
  // The XDG specification requires that relative paths be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'ghostnet');
  const home = homeFolder();
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'ghostnet');
  if (platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'ghostnet', 'Cache');
  return join(home, '.cache', 'ghostnet');
}

/** @throws {@link GhostNetError} `GHOSTNET_CACHE_UNWRITABLE` for a relative path in a folder that was removed */
function absolute(folder: string): string {
  try {
    return resolve(folder);
  } catch (cause) {
    throw new GhostNetError(
      'GHOSTNET_CACHE_UNWRITABLE',
      `The cache folder ${folder} is in the working folder, which was removed`,
      {
        remedy: 'Change to a folder that exists, or set GHOSTNET_CACHE to an absolute path.',
        cause,
      },
    );
  }
}

/** Names that are a single path segment on every system. */
const segment = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * The path of the file of an entry, whether it exists or not: `<cache>/weights/<name>/<sha256 or 'unverified'>/<file>`.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` for an entry whose name, checksum or address cannot be
 * part of a path
 */
export function weightsPath(entry: WeightsEntry, cacheDir: string = cacheFolder()): string {
  checkText('cacheDir', cacheDir);
  const file = URL.canParse(entry.url) ? new URL(entry.url).pathname.split('/').at(-1) : undefined;
  const parts = [entry.name, entry.sha256 ?? 'unverified', file ?? ''];
  const unfit = parts.find((part) => !segment.test(part));
  if (unfit !== undefined) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'An entry of the registry cannot name a file', {
      found: inWords(unfit),
      expected: 'letters, digits, "_", "-" and "."',
      remedy: 'Correct the name, the sha256 or the url of the entry.',
    });
  }
  return join(absolute(cacheDir), 'weights', ...parts);
}

/**
 * The path of weights that are in the cache, complete and verified, else undefined. Never uses the network.
 *
 * @param name - a name of the registry
 * @throws {@link GhostNetError} `GHOSTNET_UNKNOWN_MODEL`
 */
export async function findCached(name: string, options: CacheOptions = {}): Promise<string | undefined> {
  const entry = findWeights(name, options.registry);
  const path = weightsPath(entry, options.cacheDir);
  return (await verifiedSha256(path, entry)) === undefined ? undefined : path;
}

/**
 * Runs a function that writes to the cache.
 *
 * @throws {@link GhostNetError} `GHOSTNET_CACHE_UNWRITABLE` if the system rejects a write
 */
export async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause as NodeJS.ErrnoException;
    if (reason.syscall === undefined) throw cause;
    throw new GhostNetError('GHOSTNET_CACHE_UNWRITABLE', `The cache cannot be written at ${path}`, {
      found: reason.message,
      cause,
    });
  }
}
