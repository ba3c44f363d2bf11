// Builds the prebuilt binaries of a platform into prebuilds/<platform>-<arch>/ and prints their system requirements. Fails if they
// exceed the limits in package.json under "floor".
//   node packaging/prebuild.mjs               for this machine, in the build tree of `npm run compile`
//   node packaging/prebuild.mjs linux-arm64   with a cross compiler, in build/arm64/package: what release.yml builds on ARM
// Because of its name, npm also runs it before `npm run build`; `npm run compile` accepts any LibTorch that a source build supports.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cacheOf, configure } from '../cmake/configure.mjs';
import { configurePackage, crossPlatforms } from '../cmake/cross.mjs';
import { manifest, root } from './project.mjs';
import { within } from './report.mjs';

const binaries = ['ghostnet.node', 'ghostnet_loader.node'];
const own = `${process.platform}-${process.arch}`;

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? status}`);
}

/** What keeps a build tree from being published. */
function faultsOf(cache, version) {
  return [
    cache.CMAKE_BUILD_TYPE !== 'Release' && `a build of type ${cache.CMAKE_BUILD_TYPE}`,
    cache.GHOSTNET_SANITIZE !== '' && `sanitizers (${cache.GHOSTNET_SANITIZE})`,
    /-march|-mcpu/.test(`${cache.CMAKE_CXX_FLAGS} ${cache.CMAKE_C_FLAGS}`) &&
      'flags for one kind of processor',
    version !== manifest.libtorch.version && `LibTorch ${version} instead of ${manifest.libtorch.version}`,
  ].filter(Boolean);
}

/**
 * Builds, strips and examines the binaries of a platform.
 *
 * @param {string} [platform] - this machine's, or one of crossPlatforms
 * @param {{ build?: string, folder?: string, tests?: boolean }} [places] - the build tree, the folder of the binaries, and whether
 * the tree has the C++ tests, too
 * @returns {boolean} whether they are within the limits; else they are removed
 */
export function prebuild(platform = own, { build, folder, tests = false } = {}) {
  const isCross = platform !== own;
  if (isCross && crossPlatforms[platform] === undefined)
    throw new Error(`Expected one of ${[own, ...Object.keys(crossPlatforms)].join(', ')}`);
  build ??= isCross ? join(root, 'build', 'arm64', 'package') : join(root, 'build');
  folder ??= join(root, 'prebuilds', platform);
  if (isCross) configurePackage(platform, build, { tests });
  else configure();
  const cache = cacheOf(build);
  const { version } = JSON.parse(readFileSync(join(build, 'Release', 'libtorch.json'), 'utf8'));
  const faults = faultsOf(cache, version);
  if (faults.length > 0) throw new Error(`The build tree cannot be published: it has ${faults.join(', ')}`);

  const targets = ['--target', 'ghostnet', 'ghostnet_loader'];
  run(cache.CMAKE_COMMAND, ['--build', build, '--config', 'Release', ...targets]);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of binaries) {
    copyFileSync(join(build, 'Release', name), join(folder, name));
    if (process.platform === 'win32') continue;
    const flag = platform.startsWith('darwin') ? '-x' : '--strip-unneeded';
    run(cache.CMAKE_STRIP, [flag, join(folder, name)]);
  }
  if (within(folder, binaries, manifest.floor)) return true;
  rmSync(folder, { recursive: true });
  return false;
}

if (process.argv[1] === import.meta.filename && !prebuild(process.argv[2])) process.exit(1);
