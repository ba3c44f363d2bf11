// Where NVIDIA's tools are. Not every toolkit has the disassembler: it is also a wheel of its own, and part of Triton's.
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { globSync } from 'tinyglobby';

import { run } from './shell.mjs';

const nvdisasmWheel = 'nvidia-cuda-nvdisasm==13.2.51';

async function works(program) {
  return (await run(program, ['--version'])).status === 0;
}

export async function findNvcc() {
  const homes = [process.env.CUDA_HOME, process.env.CUDA_PATH].filter(Boolean);
  for (const nvcc of ['nvcc', ...homes.map((home) => join(home, 'bin', 'nvcc'))]) {
    if (await works(nvcc)) return nvcc;
  }
  return undefined;
}

async function fetchNvdisasm(folder) {
  if (!existsSync(folder)) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, nvdisasmWheel];
    const { status, output } = await run('python3', pip, { timeout: 120_000 });
    if (status !== 0) {
      rmSync(folder, { recursive: true, force: true });
      console.log(`pip could not fetch ${nvdisasmWheel}: ${output.trim().split('\n').at(-1)}`);
      return undefined;
    }
  }
  const [program] = globSync(`${folder}/**/nvdisasm`);
  if (program) chmodSync(program, 0o755);
  return program;
}

export async function findNvdisasm() {
  if (await works('nvdisasm')) return 'nvdisasm';
  const find = 'import os, triton; print(os.path.dirname(triton.__file__))';
  const triton = await run('python3', ['-c', find]);
  const bundled = triton.status === 0 ? globSync(`${triton.printed.trim()}/**/nvdisasm`) : [];
  for (const program of [...bundled, await fetchNvdisasm(join('build', 'cuda-tools'))]) {
    if (program && (await works(program))) return program;
  }
  return undefined;
}
