import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { debuglog } from 'node:util';
import { isMainThread } from 'node:worker_threads';

import { messageOf } from '../check/words.js';
import { errorCatalogue, GhostNetError, type ErrorCode } from '../errors.js';
import { remedyOfReading } from '../files.js';
import type { NativeAddon } from './addon.js';
import { findBinary, type BuiltWith, type NativeBinary } from './binary.js';
import { findLibTorch, versionAt, type LibTorch } from './libtorch.js';
import { linkerFault } from './linker.js';
import { faultOf, thisSystem } from './system.js';

/** See native/loader/loader.c. */
interface NativeLoader {
  open(paths: readonly string[]): { path: string; reason: string } | undefined;
  pin(path: string): { path: string; reason: string } | undefined;
  loaded(name: string): string | undefined;
}

const debug = debuglog('ghostnet');

const binaryAt = (path: string): string => `The native binary ${path}`;

function open(path: string): unknown {
  try {
    return require(path);
  } catch (cause) {
    throw linkerFault(binaryAt(path), messageOf(cause), cause);
  }
}

// Before Node opens it, so that a worker thread that ends at any moment leaves it open.
function pin(loader: NativeLoader, path: string): void {
  const failure = loader.pin(path);
  if (failure !== undefined) throw linkerFault(binaryAt(path), failure.reason);
}

// A process opens each library once. If another package, or another copy of this package, has opened LibTorch from another
// folder, that LibTorch is used, provided its version is right.
function openLibTorch(loader: NativeLoader, libtorch: LibTorch, { version }: BuiltWith): LibTorch {
  for (const path of libtorch.libraries) {
    const loaded = loader.loaded(basename(path));
    if (loaded === undefined || realpathSync(loaded) === realpathSync(path)) continue;
    const root = dirname(dirname(loaded));
    const found = versionAt(root);
    if (found === version) return { ...libtorch, root };
    throw new GhostNetError('GHOSTNET_LIBTORCH_CONFLICT', 'The process has already opened another LibTorch', {
      found: `LibTorch ${found ?? 'of an unknown version'} at ${root}`,
      expected: `LibTorch ${version}, for example at ${libtorch.root}`,
    });
  }
  const failure = loader.open(libtorch.libraries);
  if (failure !== undefined) throw linkerFault(`LibTorch's ${failure.path}`, failure.reason);
  return libtorch;
}

function load(): { addon: NativeAddon; binary: NativeBinary; libtorch: LibTorch } {
  checkWorkingFolder();
  const binary = findBinary();
  try {
    return { binary, ...loadWith(binary) };
  } catch (error) {
    // Only a prebuilt binary can be too new for this system.
    throw (binary.prebuilt ? faultOf(thisSystem()) : undefined) ?? error;
  }
}

/** A library of LibTorch, oneMKL, ends the process when it is opened in a folder that has been removed. */
function checkWorkingFolder(): void {
  try {
    process.cwd();
  } catch (cause) {
    throw new GhostNetError(
      'GHOSTNET_ADDON_UNLOADABLE',
      'LibTorch cannot be opened in a folder that was removed',
      {
        found: messageOf(cause),
        remedy:
          'Change to a folder that exists, with `cd` or `process.chdir()`, before the first model is loaded.',
        cause,
      },
    );
  }
}

function loadWith(binary: NativeBinary): { addon: NativeAddon; libtorch: LibTorch } {
  const found = findLibTorch(binary.built);
  debug('opening LibTorch %s at %s (%s)', found.version, found.root, found.from);
  calmOpenMP();
  const loader = open(join(binary.folder, 'ghostnet_loader.node')) as NativeLoader;
  const libtorch = openLibTorch(loader, found, binary.built);
  debug('opening %s', binary.addon);
  pin(loader, binary.addon);
  const addon = open(binary.addon) as NativeAddon;
  addon.setErrorFactory((code, what, found, expected) => {
    const known: ErrorCode = code in errorCatalogue ? (code as ErrorCode) : 'GHOSTNET_INTERNAL';
    return new GhostNetError(known, what, { found, expected });
  });
  // A run would crash while the process destroys its static data: wait for it, and let no other begin. The environment of a
  // worker thread waits for its own runs.
  if (isMainThread) {
    process.once('exit', () => {
      addon.stop();
    });
  }
  return { addon, libtorch };
}

// LibTorch's OpenMP threads wait for each other by spinning, 300,000 rounds by default. On a busy machine, the thread they wait
// for cannot run meanwhile, and a run takes ten times as long. A short spin has no measurable cost on an idle machine. OpenMP
// reads the variable once, when the library is opened.
function calmOpenMP(): void {
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '1000';
}

let loaded: ReturnType<typeof load> | undefined;

/**
 * The native addon, opened on first use so that importing the package costs nothing.
 *
 * @throws {@link GhostNetError} `GHOSTNET_UNSUPPORTED_PLATFORM`, `GHOSTNET_UNSUPPORTED_LIBC`, `GHOSTNET_SYSTEM_TOO_OLD`,
 * `GHOSTNET_LIBTORCH_NOT_INSTALLED`, `GHOSTNET_LIBTORCH_NOT_FOUND`, `GHOSTNET_LIBTORCH_VERSION`,
 * `GHOSTNET_LIBTORCH_CONFLICT`, `GHOSTNET_LIBRARY_MISSING`, `GHOSTNET_ADDON_NOT_FOUND`, `GHOSTNET_ADDON_UNLOADABLE`
 */
export function native(): NativeAddon {
  return nativeParts().addon;
}

/** As {@link native}, with the places of its parts. */
export function nativeParts(): ReturnType<typeof load> {
  try {
    loaded ??= load();
  } catch (cause) {
    if (cause instanceof GhostNetError) throw cause;
    // The system fails to read a file of the package: too many open files, for one.
    throw new GhostNetError('GHOSTNET_ADDON_UNLOADABLE', 'The native part of the package cannot be opened', {
      found: messageOf(cause),
      remedy: remedyOfReading(cause),
      cause,
    });
  }
  return loaded;
}
