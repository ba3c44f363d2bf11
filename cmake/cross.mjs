// Builds for another processor than this machine's, with the cross compiler of Debian and Ubuntu.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { root } from '../packaging/project.mjs';
import { cacheOf, configure, forgetOtherPlace } from './configure.mjs';

/** The platforms that can be compiled for: each with its toolchain file, its compiler and the Debian package of that. */
export const crossPlatforms = {
  'linux-arm64': {
    toolchain: join(root, 'cmake', 'aarch64-linux-gnu.cmake'),
    compiler: 'aarch64-linux-gnu-g++',
    packages: 'g++-aarch64-linux-gnu',
  },
};

/** Runs a command, whose output is shown. @throws {Error} if it fails */
function run(command, args) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? signal ?? status}`);
}

/** Whether the compiler for a platform is installed. */
export function canCompileFor(platform) {
  return spawnSync(crossPlatforms[platform].compiler, ['--version']).status === 0;
}

function requireCompiler(platform) {
  const { compiler, packages } = crossPlatforms[platform];
  if (!canCompileFor(platform))
    throw new Error(`${compiler} compiles for ${platform}. Install it: apt-get install ${packages}`);
}

/** Builds targets of a configured tree. */
export function buildTargets(build, targets) {
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism());
  run('cmake', ['--build', build, '--config', 'Release', '--parallel', jobs, '--target', ...targets]);
}

/**
 * Configures the whole package for a platform, with cmake-js as a build for this machine.
 *
 * @param tests whether the C++ tests are built, too
 */
export function configurePackage(platform, build, { tests = false } = {}) {
  requireCompiler(platform);
  const { toolchain } = crossPlatforms[platform];
  configure({ build, tests, options: [`--CDCMAKE_TOOLCHAIN_FILE=${toolchain}`] });
}

/** Configures, once, the tests of the engines for a platform: they need neither LibTorch nor Node. */
export function configureEngineTests(platform, build) {
  requireCompiler(platform);
  forgetOtherPlace(build);
  if (
    cacheOf(build).GHOSTNET_ENGINE_TESTS === 'ON' &&
    existsSync(join(build, 'CMakeFiles', 'cmake.check_cache'))
  )
    return;
  mkdirSync(build, { recursive: true });
  const ninja = spawnSync('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
  const toolchain = `-DCMAKE_TOOLCHAIN_FILE=${crossPlatforms[platform].toolchain}`;
  const settings = ['-DCMAKE_BUILD_TYPE=Release', '-DGHOSTNET_ENGINE_TESTS=ON', toolchain];
  run('cmake', ['-S', root, '-B', build, ...ninja, ...settings]);
}
