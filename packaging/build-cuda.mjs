// Builds the GPU library, build/cuda/Release/ghostnet_cuda.so, from the CMake tree of the addon in a separate build folder.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './project.mjs';

/**
 * Builds a target of the CMake tree with the GPU library enabled.
 * @param architectures compute capabilities; default: all published ones
 * @returns the folder of the built files, and the program that strips them
 */
export function buildCuda({ folder = 'cuda', target = 'ghostnet_cuda', architectures, env } = {}) {
  const build = join(root, 'build', folder);
  const run = (command, args) => {
    const { status, error } = spawnSync(command, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? status}`);
  };
  const cmakeJs = join('node_modules', 'cmake-js', 'bin', 'cmake-js');
  const options = ['--CDGHOSTNET_CUDA=ON'];
  if (architectures) options.push(`--CDGHOSTNET_CUDA_ARCHITECTURES=${architectures}`);
  run(process.execPath, [cmakeJs, 'configure', '--out', build, ...options]);
  const cache = readFileSync(join(build, 'CMakeCache.txt'), 'utf8');
  const valueOf = (name) => new RegExp(`^${name}:\\w+=(.*)$`, 'm').exec(cache)[1];
  run(valueOf('CMAKE_COMMAND'), ['--build', build, '--config', 'Release', '--target', target]);
  return { folder: join(build, 'Release'), strip: valueOf('CMAKE_STRIP') };
}

if (process.argv[1] === import.meta.filename) buildCuda();
