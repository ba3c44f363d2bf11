// Builds the GPU library, build/cuda/Release/ghostnet_cuda.so, from the CMake tree of the addon in a separate build folder.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { cacheOf, configure } from '../cmake/configure.mjs';
import { root } from './project.mjs';

/**
 * Builds a target of the CMake tree with the GPU library enabled.
 * @param architectures compute capabilities; default: all published ones
 * @returns the folder of the built files, and the program that strips them
 */
export function buildCuda({ folder = 'cuda', target = 'ghostnet_cuda', architectures, env } = {}) {
  const build = join(root, 'build', folder);
  const options = ['--CDGHOSTNET_CUDA=ON'];
  if (architectures) options.push(`--CDGHOSTNET_CUDA_ARCHITECTURES=${architectures}`);
  configure({ build, options, env });
  const cache = cacheOf(build);
  const command = ['--build', build, '--config', 'Release', '--target', target];
  const { status, error } = spawnSync(cache.CMAKE_COMMAND, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${cache.CMAKE_COMMAND} ended with ${error?.message ?? status}`);
  return { folder: join(build, 'Release'), strip: cache.CMAKE_STRIP };
}

if (process.argv[1] === import.meta.filename) buildCuda();
