// Configures build trees with cmake-js.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../packaging/project.mjs';
import { requirePrerequisites } from './prerequisites.mjs';

/** Runs cmake-js in the root of the clone. @throws {Error} when it fails */
export function cmakeJs(args, env = {}) {
  const command = [join('node_modules', 'cmake-js', 'bin', 'cmake-js'), ...args];
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } };
  const { status, error } = spawnSync(process.execPath, command, options);
  if (status !== 0) throw new Error(`cmake-js ${args[0]} ended with ${error?.message ?? status}`);
}

/** The entries of CMakeCache.txt; none if the tree is not configured. */
export function cacheOf(build) {
  const file = join(build, 'CMakeCache.txt');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return Object.fromEntries([...text.matchAll(/^(\w+):\w+=(.*)$/gm)].map(([, name, value]) => [name, value]));
}

function isSame(path, other) {
  return existsSync(path) && realpathSync(path) === realpathSync(other);
}

/**
 * CMake refuses a build tree that was configured at another place. Removes from such a tree what `cmake --fresh` would (CMake
 * 3.24), object files included; other files in the folder stay.
 */
export function forgetOtherPlace(build, source = root) {
  const { CMAKE_HOME_DIRECTORY: home, CMAKE_CACHEFILE_DIR: folder } = cacheOf(build);
  if (home === undefined || (isSame(home, source) && isSame(folder, build))) return;
  console.log(`${build} was configured for ${home}: it is built afresh.`);
  rmSync(join(build, 'CMakeCache.txt'));
  // The tree of libjpeg-turbo within knows its place, too.
  for (const folder of ['CMakeFiles', 'libjpeg-turbo', 'libjpeg-turbo-steps']) {
    rmSync(join(build, folder), { recursive: true, force: true });
  }
}

/**
 * Configures a build tree. Ends the process with a message if the machine lacks a prerequisite.
 *
 * @param options further options of cmake-js
 */
export function configure({ build = join(root, 'build'), tests = false, options = [], env } = {}) {
  requirePrerequisites({ tests });
  forgetOtherPlace(build);
  cmakeJs(['configure', '--out', build, ...(tests ? ['--CDGHOSTNET_TESTS=ON'] : []), ...options], env);
}
