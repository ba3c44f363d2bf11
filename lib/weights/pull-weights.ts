import { dirname, resolve } from 'node:path';

import { isUrl } from '../check/kinds.js';
import {
  checkNumber,
  checkSignal,
  copyOf,
  invalidArgument,
  optionsOf,
  reading,
  type KeysOf,
} from '../check/option.js';
import { inWords } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { cacheFolder, weightsPath, writing, type CacheOptions } from './cache.js';
import { download, type DownloadProgress } from './download.js';
import { HttpClient, type HttpTiming } from './http.js';
import { FileLock, type LockTiming } from './lock.js';
import { foreignLink, makeFolder } from './own-files.js';
import { PartialFile } from './partial.js';
import { findWeights, type WeightsEntry } from './registry.js';
import { verifiedSha256 } from './verified.js';

/** The waiting times of a pull in milliseconds, each from 1 to 2^31 - 1. */
export interface PullTimeouts extends HttpTiming, LockTiming {
  /** Pause before the second attempt; it doubles with every further attempt, up to a minute. */
  readonly retryMs: number;
}

const defaultTimeouts = {
  connectMs: 15_000,
  stallMs: 30_000,
  retryMs: 500,
  heartbeatMs: 1_000,
  staleMs: 15_000,
} satisfies PullTimeouts;

/** Options of {@link pullWeights}. */
export interface PullOptions extends CacheOptions {
  /** Whether to use only the cache. `GHOSTNET_OFFLINE=1` does the same for all calls. */
  readonly offline?: boolean | undefined;
  /**
   * A mirror: an http(s) URL that replaces scheme, host and port of the registered address. Its path is prepended to
   * the path of that address. Default: `GHOSTNET_MIRROR`, else no mirror.
   */
  readonly baseUrl?: string | URL | undefined;
  /** Called for every chunk that arrives. An error that it throws ends the pull. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Ends the pull. The received bytes are kept for the next pull. */
  readonly signal?: AbortSignal | undefined;
  /** The number of requests before giving up, at least 1. Default 6. */
  readonly attempts?: number | undefined;
  /** Omitted times keep their defaults. */
  readonly timeouts?: Partial<PullTimeouts> | undefined;
}

const pullKeys = {
  cacheDir: true,
  registry: true,
  offline: true,
  baseUrl: true,
  onProgress: true,
  signal: true,
  attempts: true,
  timeouts: true,
} as const satisfies KeysOf<PullOptions>;

/** Weights that are in the cache. */
export interface PulledWeights {
  /** Absolute path of the file. */
  readonly path: string;
  readonly entry: WeightsEntry;
  /** Whether the file was already in the cache, from an earlier pull or from another process that this pull waited for. */
  readonly fromCache: boolean;
  /** Checksum of the file, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** The lock is lost only after a pause longer than `staleMs`; more losses than this are no accident. */
const mostTurns = 3;

/**
 * Downloads trained weights into the cache, unless they are already there, and verifies them. An interrupted download, of this
 * or another process, is resumed. If several processes pull at once, one of them downloads.
 *
 * @param name - a name in the registry, for example `ghostnet_100`
 * @throws {@link GhostNetError} `GHOSTNET_UNKNOWN_MODEL`, `GHOSTNET_INVALID_ARGUMENT`,
 * `GHOSTNET_OFFLINE`, `GHOSTNET_DOWNLOAD_FAILED`, `GHOSTNET_DOWNLOAD_MISMATCH`, `GHOSTNET_CACHE_UNWRITABLE`,
 * `GHOSTNET_ABORTED`
 */
export async function pullWeights(name: string, given: PullOptions = {}): Promise<PulledWeights> {
  const options = optionsOf(given, pullKeys);
  const { signal } = options;
  checkSignal(signal);
  try {
    signal?.throwIfAborted();
    return await pull(name, options);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    const what = `The pull of ${inWords(name)} was aborted`;
    throw new GhostNetError('GHOSTNET_ABORTED', what, { cause: signal.reason });
  }
}

async function pull(name: string, options: PullOptions): Promise<PulledWeights> {
  const { entry, cacheDir, path, timeouts, url } = reading(() => checked(name, options));

  const cached = await verifiedSha256(path, entry);
  if (cached !== undefined) return { path, entry, fromCache: true, sha256: cached };
  if (options.offline === true || isOn(process.env.GHOSTNET_OFFLINE)) {
    throw new GhostNetError('GHOSTNET_OFFLINE', `The weights ${name} are not in the cache`, {
      expected: path,
    });
  }

  await writing(path, () => makeFolder(dirname(path)));
  const link = await writing(path, () => foreignLink(cacheDir, dirname(path)));
  if (link !== undefined) {
    throw new GhostNetError('GHOSTNET_CACHE_UNWRITABLE', 'Another user has put a link into the cache', {
      found: link,
      expected: 'a folder',
      remedy: 'Remove it, or set GHOSTNET_CACHE to a folder of your own.',
    });
  }
  for (let turn = 0; turn < mostTurns; turn++) {
    const lock = await writing(path, () => FileLock.acquire(`${path}.lock`, timeouts, options.signal));
    try {
      const pulledByOther = await verifiedSha256(path, entry);
      if (pulledByOther !== undefined) return { path, entry, fromCache: true, sha256: pulledByOther };
      const sha256 = await downloadTo(path, entry, url, lock, timeouts, options);
      if (sha256 !== undefined) return { path, entry, fromCache: false, sha256 };
    } finally {
      await lock.release();
    }
  }
  throw new GhostNetError(
    'GHOSTNET_DOWNLOAD_FAILED',
    `Other processes repeatedly took over the pull of ${name}`,
  );
}

interface Checked {
  readonly entry: WeightsEntry;
  readonly cacheDir: string;
  readonly path: string;
  readonly timeouts: PullTimeouts;
  readonly url: URL;
}

/** @throws {@link GhostNetError} `GHOSTNET_UNKNOWN_MODEL`, `GHOSTNET_INVALID_ARGUMENT` */
function checked(name: string, options: PullOptions): Checked {
  const entry = copyOf('registry', findWeights(name, options.registry));
  const { cacheDir = cacheFolder() } = options;
  const path = weightsPath(entry, cacheDir);
  checkNumber('attempts', options.attempts, 1, Number.MAX_SAFE_INTEGER, 'a number');
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') {
    throw invalidArgument('The option onProgress is not a function', options.onProgress, 'a function');
  }
  return {
    entry,
    cacheDir: resolve(cacheDir),
    path,
    timeouts: checkedTimeouts(options.timeouts),
    url: sourceUrl(entry, options.baseUrl),
  };
}

/** @returns the checksum; undefined if the lock was lost meanwhile, and the file with it */
async function downloadTo(
  path: string,
  entry: WeightsEntry,
  url: URL,
  lock: FileLock,
  timeouts: PullTimeouts,
  { attempts = 6, onProgress, signal }: PullOptions,
): Promise<string | undefined> {
  if (entry.sha256 === undefined) {
    process.emitWarning(`No checksum is known for the weights ${entry.name}: the download is not verified.`, {
      type: 'GhostNetWarning',
      code: 'GHOSTNET_UNVERIFIED',
    });
  }
  const client = HttpClient.open(timeouts);
  try {
    const partial = await PartialFile.open(path);
    try {
      const source = { url, bytes: entry.bytes, sha256: entry.sha256 };
      const sha256 = await download(client, source, partial, {
        attempts,
        retryMs: timeouts.retryMs,
        stallMs: timeouts.stallMs,
        onProgress,
        signal,
      });
      if (!(await lock.isMine())) return undefined;
      await partial.finish(sha256);
      return sha256;
    } finally {
      await partial.close();
    }
  } finally {
    await client.close();
  }
}

/** The address to download from: the registered address, or its counterpart on the mirror. */
function sourceUrl(entry: WeightsEntry, baseUrl: string | URL | undefined): URL {
  const url = new URL(entry.url);
  const given = baseUrl ?? process.env.GHOSTNET_MIRROR;
  if (given === undefined || given === '') return url;
  const address = isUrl(given) ? given.href : given;
  const mirror = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined;
  if (mirror === undefined || !['http:', 'https:'].includes(mirror.protocol)) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The mirror is not an http(s) URL', {
      expected: 'https://mirror.example or https://mirror.example/path',
      remedy: 'Correct the option baseUrl or the variable GHOSTNET_MIRROR. Omit it to use the default.',
    });
  }
  const folder = mirror.pathname.endsWith('/') ? mirror.pathname.slice(0, -1) : mirror.pathname;
  mirror.pathname = folder + url.pathname;
  mirror.search = url.search;
  return mirror;
}

function isOn(variable: string | undefined): boolean {
  return variable !== undefined && !['', '0', 'false'].includes(variable.toLowerCase());
}

function checkedTimeouts(timeouts: Partial<PullTimeouts> = {}): PullTimeouts {
  const given = optionsOf(timeouts, defaultTimeouts, 'timeouts');
  const checked = { ...defaultTimeouts };
  for (const name of Object.keys(checked) as (keyof PullTimeouts)[]) {
    // A timer with more milliseconds than an int32 can hold fires at once.
    checkNumber(`timeouts.${name}`, given[name], 1, 2 ** 31 - 1, 'a number');
    checked[name] = given[name] ?? checked[name];
  }
  return checked;
}
