import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { errorCatalogue, GhostNetError } from '../errors.js';
import { buildFolder, manifest, prebuildsFolder } from '../package-files.js';
import { remedyForMissing } from './surroundings.js';

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

const platform = `${process.platform}-${process.arch}`;

/**
 * Finds the native binary: the file that GHOSTNET_BINARY names, else the build of a clone, else the prebuilt binary for this
 * platform.
 *
 * @throws {@link GhostNetError} `GHOSTNET_UNSUPPORTED_PLATFORM`, `GHOSTNET_ADDON_NOT_FOUND`
 */
export function findBinary(): NativeBinary {
  const named = process.env.GHOSTNET_BINARY;
  const candidates =
    named === undefined || named === ''
      ? [join(buildFolder, 'Release', 'ghostnet.node'), join(prebuildsFolder, platform, 'ghostnet.node')]
      : [named];
  const addon = candidates.find((path) => existsSync(path));
  if (addon !== undefined) {
    return binaryAt(addon);
  }
  const platforms = platformsIn(prebuildsFolder);
  if (platforms.length > 0 && !platforms.includes(platform)) {
    const expected = platforms.join(' or ');
    throw new GhostNetError(
      'GHOSTNET_UNSUPPORTED_PLATFORM',
      'There is no prebuilt binary for this platform',
      { found: platform, expected, remedy: remedyFor(process.platform) },
    );
  }
  throw new GhostNetError('GHOSTNET_ADDON_NOT_FOUND', `There is no native binary for ${platform}`, {
    found: `none of ${candidates.join(', ')}`,
    remedy: remedyForMissing(),
  });
}

/** Windows lacks the same as musl: a system that LibTorch and the addon are built for. The usual remedy elsewhere. */
function remedyFor(system: string): string | undefined {
  return system === 'win32' ? errorCatalogue.GHOSTNET_UNSUPPORTED_LIBC.remedy : undefined;
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
    join(buildFolder, 'cuda', 'Release'),
    join(prebuildsFolder, platform),
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
