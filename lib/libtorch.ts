import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { GhostNetError } from './errors.js';

/** A LibTorch on this machine. */
export interface LibTorch {
  /** The folder that holds `lib/`. */
  readonly root: string;
  /** Its version without a build tag, e.g. "2.13.0". */
  readonly version: string;
  /** What named it: a variable of the environment, or the build of this clone. */
  readonly from: 'LIBTORCH' | 'LIBTORCH_USE_PYTORCH' | 'build';
}

/** What a native binary was built with. */
export interface BuiltWith {
  readonly version: string;
  readonly root?: string;
}

/** The libraries that the addon needs, in the order in which they can be opened. */
const libraryNames: Record<string, readonly string[]> = {
  linux: ['libc10.so', 'libtorch_cpu.so', 'libtorch.so'],
  darwin: ['libc10.dylib', 'libtorch_cpu.dylib', 'libtorch.dylib'],
};

/** Absolute paths of the libraries to open. */
export function librariesOf(libtorch: LibTorch): string[] {
  const names = libraryNames[process.platform];
  if (names === undefined) {
    throw new GhostNetError('GHOSTNET_ADDON_NOT_FOUND', `There is no native part for ${process.platform}`, {
      expected: Object.keys(libraryNames).join(' or '),
    });
  }
  return names.map((name) => join(libtorch.root, 'lib', name));
}

// Each kind of distribution states its version in another place: the zip, the wheel, and what has headers.
const versionFiles: readonly (readonly [string, RegExp])[] = [
  ['build-version', /^(\d+\.\d+\.\d+)/],
  ['version.py', /__version__ = '(\d+\.\d+\.\d+)/],
  [
    'include/torch/headeronly/version.h',
    /TORCH_VERSION_MAJOR (\d+)[^]*?TORCH_VERSION_MINOR (\d+)[^]*?TORCH_VERSION_PATCH (\d+)/,
  ],
];

function versionAt(root: string): string | undefined {
  for (const [file, pattern] of versionFiles) {
    const path = join(root, file);
    const found = existsSync(path) ? pattern.exec(readFileSync(path, 'utf8')) : null;
    if (found !== null) return found.slice(1).join('.');
  }
  return undefined;
}

function rootOfPyTorch(): string {
  const script = 'import os, torch; print(os.path.dirname(torch.__file__))';
  try {
    return execFileSync('python3', ['-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } catch (cause) {
    throw new GhostNetError(
      'GHOSTNET_LIBTORCH_NOT_FOUND',
      'LIBTORCH_USE_PYTORCH=1, but python3 can not import torch',
      {
        remedy: 'Install PyTorch for python3, or unset LIBTORCH_USE_PYTORCH.',
        cause,
      },
    );
  }
}

function candidate(built: BuiltWith): { root: string; from: LibTorch['from'] } {
  const { LIBTORCH, LIBTORCH_USE_PYTORCH } = process.env;
  if (LIBTORCH !== undefined && LIBTORCH !== '') return { root: resolve(LIBTORCH), from: 'LIBTORCH' };
  if (LIBTORCH_USE_PYTORCH === '1') return { root: rootOfPyTorch(), from: 'LIBTORCH_USE_PYTORCH' };
  if (built.root !== undefined) return { root: built.root, from: 'build' };
  throw new GhostNetError('GHOSTNET_LIBTORCH_NOT_FOUND', 'No LibTorch is named', {
    expected: `LIBTORCH to be the folder of LibTorch ${built.version}, or LIBTORCH_USE_PYTORCH=1`,
  });
}

/**
 * Finds the LibTorch to run with, in this order: `LIBTORCH`, `LIBTORCH_USE_PYTORCH=1`, the one that the clone was built
 * with. The version must be the one that the binary was built with: the C++ interface changes between versions.
 *
 * @throws {@link GhostNetError} `GHOSTNET_LIBTORCH_NOT_FOUND`, `GHOSTNET_LIBTORCH_VERSION`
 */
export function findLibTorch(built: BuiltWith): LibTorch {
  const { root, from } = candidate(built);
  if (!existsSync(join(root, 'lib'))) {
    throw new GhostNetError('GHOSTNET_LIBTORCH_NOT_FOUND', `${describe(from)} is not a LibTorch`, {
      found: `no folder ${join(root, 'lib')}`,
      expected: 'a folder that holds lib/ with libtorch_cpu in it',
    });
  }
  const version = versionAt(root);
  if (version !== built.version) {
    throw new GhostNetError('GHOSTNET_LIBTORCH_VERSION', `${describe(from)} has the wrong version`, {
      found: version === undefined ? `no stated version at ${root}` : `LibTorch ${version} at ${root}`,
      expected: `LibTorch ${built.version}, which this binary was built with`,
      ...(from === 'build' ? { remedy: 'Build the clone again with `npm run build`.' } : {}),
    });
  }
  return { root, version, from };
}

function describe(from: LibTorch['from']): string {
  return from === 'build' ? 'The LibTorch of the build' : `The folder that ${from} names`;
}
