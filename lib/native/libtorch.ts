import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { BuiltWith } from './binary.js';
import { GhostNetError } from '../errors.js';
import { remedyForMissing } from './surroundings.js';

/** The origin of a LibTorch: an environment variable, an installed package, or the build of this clone. */
export type LibTorchSource = 'LIBTORCH' | 'package' | 'LIBTORCH_USE_PYTORCH' | 'build';

/** A LibTorch on this machine. */
export interface LibTorch {
  /** The folder that contains `lib/`. */
  readonly root: string;
  /** Its version without the build tag, e.g. "2.13.0". */
  readonly version: string;
  readonly from: LibTorchSource;
  /** Absolute paths of its libraries that the addon needs, in the order in which they can be opened. */
  readonly libraries: readonly string[];
}

const platform = `${process.platform}-${process.arch}`;

/** The LibTorch package for this platform. */
export const platformPackage = `@ghostnet/libtorch-${platform}`;

/** The libraries that the addon needs, in the order in which they can be opened. */
const libraryNames: Record<string, readonly string[]> = {
  linux: ['libc10.so', 'libtorch_cpu.so', 'libtorch.so'],
  darwin: ['libc10.dylib', 'libtorch_cpu.dylib', 'libtorch.dylib'],
};

// Each kind of distribution states its version in another file: the zip, the wheel, and any distribution with headers.
const versionFiles: readonly (readonly [string, RegExp])[] = [
  ['build-version', /^(\d+\.\d+\.\d+)/],
  ['version.py', /__version__ = '(\d+\.\d+\.\d+)/],
  [
    'include/torch/headeronly/version.h',
    /TORCH_VERSION_MAJOR (\d+)[^]*?TORCH_VERSION_MINOR (\d+)[^]*?TORCH_VERSION_PATCH (\d+)/,
  ],
];

/** The version that a LibTorch distribution states. */
export function versionAt(root: string): string | undefined {
  for (const [file, pattern] of versionFiles) {
    const path = join(root, file);
    const found = existsSync(path) ? pattern.exec(readFileSync(path, 'utf8')) : null;
    if (found !== null) return found.slice(1).join('.');
  }
  return undefined;
}

interface Candidate {
  readonly from: LibTorchSource;
  readonly root: () => string;
}

function candidatesFor({ root }: BuiltWith): Candidate[] {
  const { LIBTORCH, LIBTORCH_USE_PYTORCH } = process.env;
  const candidates: Candidate[] = [{ from: 'package', root: rootOfPackage }];
  if (LIBTORCH !== undefined && LIBTORCH !== '') {
    candidates.unshift({ from: 'LIBTORCH', root: () => resolve(LIBTORCH) });
  }
  if (LIBTORCH_USE_PYTORCH === '1') candidates.push({ from: 'LIBTORCH_USE_PYTORCH', root: rootOfPyTorch });
  if (root !== undefined) candidates.push({ from: 'build', root: () => root });
  return candidates;
}

/** What a LibTorch package exports; see packaging/libtorch.mjs. */
interface LibTorchPackage {
  readonly root: string;
}

function rootOfPackage(): string {
  const { found, cause } = requirePackage();
  if (found !== undefined) return found.root;
  const what = `The package ${platformPackage} is not installed`;
  throw new GhostNetError('GHOSTNET_LIBTORCH_NOT_INSTALLED', what, {
    remedy: remedyForMissing(),
    cause,
  });
}

// Each name is written out, so that tools that trace files (Next.js, Nitro, Vercel) take those along that are installed. Bundlers
// leave a require inside try to the run, and do not fail for the others.
function requirePackage(): { readonly found?: LibTorchPackage; readonly cause?: unknown } {
  try {
    switch (platform) {
      case 'linux-x64':
        return { found: require('@ghostnet/libtorch-linux-x64') as LibTorchPackage };
      case 'linux-arm64':
        return { found: require('@ghostnet/libtorch-linux-arm64') as LibTorchPackage };
      case 'darwin-arm64':
        return { found: require('@ghostnet/libtorch-darwin-arm64') as LibTorchPackage };
      default:
        return {};
    }
  } catch (cause) {
    return { cause };
  }
}

function rootOfPyTorch(): string {
  const script = 'import os, torch; print(os.path.dirname(torch.__file__))';
  try {
    return execFileSync('python3', ['-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } catch (cause) {
    const what = 'LIBTORCH_USE_PYTORCH=1, but python3 cannot import torch';
    const remedy = 'Install PyTorch for python3, or unset LIBTORCH_USE_PYTORCH.';
    throw new GhostNetError('GHOSTNET_LIBTORCH_NOT_FOUND', what, { remedy, cause });
  }
}

function check({ from, root: find }: Candidate, built: BuiltWith): LibTorch {
  const root = find();
  if (!existsSync(join(root, 'lib'))) {
    throw new GhostNetError(
      'GHOSTNET_LIBTORCH_NOT_FOUND',
      `${describe(from)} is not a LibTorch distribution`,
      {
        found: `no folder ${join(root, 'lib')}`,
        expected: 'a folder that contains lib/ with libtorch_cpu',
      },
    );
  }
  const version = versionAt(root);
  if (version !== built.version) {
    throw new GhostNetError('GHOSTNET_LIBTORCH_VERSION', `${describe(from)} has the wrong version`, {
      found: version === undefined ? `no stated version at ${root}` : `LibTorch ${version} at ${root}`,
      expected: `LibTorch ${built.version}, which this binary was built with`,
      remedy: from === 'build' ? 'Build the clone again with `npm run compile`.' : undefined,
    });
  }
  const libraries = (libraryNames[process.platform] ?? []).map((name) => join(root, 'lib', name));
  const missing = libraries.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    throw new GhostNetError('GHOSTNET_LIBRARY_MISSING', `${describe(from)} is incomplete`, {
      found: `no ${missing.join(', ')}`,
      remedy: from === 'package' ? remedyForMissing() : undefined,
    });
  }
  return { root, version, from, libraries };
}

function describe(from: LibTorchSource): string {
  if (from === 'package') return `The package ${platformPackage}`;
  return from === 'build' ? 'The LibTorch of the build' : `The folder that ${from} names`;
}

/**
 * Finds the LibTorch to use, in this order: `LIBTORCH`, the LibTorch package, `LIBTORCH_USE_PYTORCH=1`, the LibTorch that the
 * clone was built with. The version must be that of the build, because the C++ interface changes between versions. A folder
 * that a variable names is used or rejected, never skipped.
 *
 * @throws {@link GhostNetError} `GHOSTNET_LIBTORCH_NOT_INSTALLED`, `GHOSTNET_LIBTORCH_NOT_FOUND`,
 * `GHOSTNET_LIBTORCH_VERSION`, `GHOSTNET_LIBRARY_MISSING`
 */
export function findLibTorch(built: BuiltWith): LibTorch {
  const failures: GhostNetError[] = [];
  for (const candidate of candidatesFor(built)) {
    try {
      return check(candidate, built);
    } catch (error) {
      if (!(error instanceof GhostNetError)) throw error;
      failures.push(error);
      if (candidate.from.startsWith('LIBTORCH')) break;
    }
  }
  throw summaryOf(failures, built);
}

// A missing package is the least informative failure: the user meant one of the others.
function summaryOf(failures: readonly GhostNetError[], built: BuiltWith): GhostNetError {
  const telling = failures.reduce((most, next) =>
    most.code === 'GHOSTNET_LIBTORCH_NOT_INSTALLED' ? next : most,
  );
  if (failures.length === 1) return telling;
  return new GhostNetError(telling.code, `No LibTorch ${built.version} can be used`, {
    found: failures.map(({ what, found }) => (found === undefined ? what : `${what}: ${found}`)).join('; '),
    remedy: telling.remedy,
    cause: telling,
  });
}
