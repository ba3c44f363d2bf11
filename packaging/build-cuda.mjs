// Builds the part for GPUs, build/cuda/Release/ghostnet_cuda.so: the CMake tree of the addon in a folder of its own.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './project.mjs';

const build = join(root, 'build', 'cuda');

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? status}`);
}

/** @returns the path of the library, and of the program that strips it */
export function buildCuda() {
  const cmakeJs = join('node_modules', 'cmake-js', 'bin', 'cmake-js');
  run(process.execPath, [cmakeJs, 'configure', '--out', build, '--CDGHOSTNET_CUDA=ON']);
  const cache = readFileSync(join(build, 'CMakeCache.txt'), 'utf8');
  const valueOf = (name) => new RegExp(`^${name}:\\w+=(.*)$`, 'm').exec(cache)[1];
  run(valueOf('CMAKE_COMMAND'), ['--build', build, '--config', 'Release', '--target', 'ghostnet_cuda']);
  return { library: join(build, 'Release', 'ghostnet_cuda.so'), strip: valueOf('CMAKE_STRIP') };
}

if (process.argv[1] === import.meta.filename) buildCuda();
