import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { GhostNetError } from '../errors.js';
import { manifest } from './manifest.js';

/** The LibTorch that a native binary was built with. */
export interface BuiltWith {
  /** Its version. */
  readonly version: string;
  /** Its folder, in a source build. */
  readonly root?: string;
}

/** A native binary. */
export interface NativeBinary {
  readonly folder: string;
  readonly addon: string;
  readonly built: BuiltWith;
  /** Whether it is a prebuilt binary, for every sufficiently new system. */
  readonly prebuilt: boolean;
}

const packageRoot = fileURLToPath(new URL('../../', import.meta.url));
const platform = `${process.platform}-${process.arch}`;

/**
 * Finds the native binary: the file that GHOSTNET_BINARY names, else the build of a clone, else the prebuilt binary for this
 * platform.
 *
 * @throws {@link GhostNetError} `GHOSTNET_UNSUPPORTED_PLATFORM`, `GHOSTNET_ADDON_NOT_FOUND`
 */
export function findBinary(): NativeBinary {
  const named = process.env.GHOSTNET_BINARY;
  const prebuilds = join(packageRoot, 'prebuilds');
  const candidates =
    named === undefined || named === ''
      ? [join(packageRoot, 'build', 'Release', 'ghostnet.node'), join(prebuilds, platform, 'ghostnet.node')]
      : [named];
  const addon = candidates.find((path) => existsSync(path));
  if (addon !== undefined) {
    return binaryAt(addon);
  }
  const platforms = platformsIn(prebuilds);
  if (platforms.length > 0 && !platforms.includes(platform)) {
    const expected = platforms.join(' or ');
    throw new GhostNetError(
      'GHOSTNET_UNSUPPORTED_PLATFORM',
      'There is no prebuilt binary for this platform',
      { found: platform, expected },
    );
  }
  throw new GhostNetError('GHOSTNET_ADDON_NOT_FOUND', `There is no native binary for ${platform}`, {
    found: `none of ${candidates.join(', ')}`,
  });
}

/**
 * Finds the GPU library: the file that GHOSTNET_CUDA_LIBRARY names, else the file beside the native binary, else the build of a
 * clone, else the prebuilt library.
 *
 * @returns its path, if there is one, and the paths that were tried
 */
export function findGpuLibrary(): { library: string | undefined; candidates: readonly string[] } {
  const name = 'ghostnet_cuda.so';
  const folders = [
    findBinary().folder,
    join(packageRoot, 'build', 'cuda', 'Release'),
    join(packageRoot, 'prebuilds', platform),
  ];
  const named = process.env.GHOSTNET_CUDA_LIBRARY;
  const candidates =
    named === undefined || named === '' ? [...new Set(folders.map((folder) => join(folder, name)))] : [named];
  return { library: candidates.find((path) => existsSync(path)), candidates };
}

function platformsIn(prebuilds: string): string[] {
  if (!existsSync(prebuilds)) return [];
  const entries = readdirSync(prebuilds, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function binaryAt(addon: string): NativeBinary {
  const folder = dirname(addon);
  // A source build writes the record beside its binaries. Prebuilt binaries are built with the pinned version.
  const record = join(folder, 'libtorch.json');
  const prebuilt = !existsSync(record);
  const built = prebuilt
    ? { version: manifest.libtorch.version }
    : (JSON.parse(readFileSync(record, 'utf8')) as BuiltWith);
  return { folder, addon, built, prebuilt };
}
