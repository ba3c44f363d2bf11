// Finds NVIDIA's tools and a PyTorch with CUDA. Not every toolkit contains the disassembler, which is also in a separate wheel
// and in Triton's wheel.
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

import { globSync } from 'tinyglobby';

import { manifest } from '../../packaging/project.mjs';
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

/**
 * Installs a wheel into its own folder, which exists only after pip has finished. An index that cannot be reached costs seconds.
 * @returns whether the wheel is installed
 */
async function fetchByPip(wheel, folder, { options = [], timeout }) {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--retries', '0', '--timeout', '10', ...options];
  const { status, output } = await run('python3', [...pip, '--target', unfinished, wheel], { timeout });
  if (status === 0) {
    renameSync(unfinished, folder);
    return true;
  }
  rmSync(unfinished, { recursive: true, force: true });
  console.log(`pip could not fetch ${wheel}: ${output.trim().split('\n').at(-1)}`);
  return false;
}

async function fetchNvdisasm(folder) {
  const options = { options: ['--no-deps'], timeout: 120_000 };
  if (!existsSync(folder) && !(await fetchByPip(nvdisasmWheel, folder, options))) return undefined;
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

/**
 * A PyTorch with CUDA: with LIBTORCH_USE_PYTORCH=1 the PyTorch of python3, otherwise the pinned version, fetched by pip.
 * @returns its version, and the environment in which python3 imports it and a build uses its LibTorch; undefined if there is none
 */
export async function findCudaTorch() {
  const describe = async (env) => {
    const question = 'import torch; assert torch.version.cuda, "has no CUDA"; print(torch.__version__)';
    const { status, printed, output } = await run('python3', ['-c', question], { env });
    if (status === 0) return { version: printed.trim(), env };
    console.log(`python3 has no PyTorch with CUDA: ${output.trim().split('\n').at(-1)}`);
    return undefined;
  };
  const env = { LIBTORCH: '', LIBTORCH_USE_PYTORCH: '1' };
  if (process.env.LIBTORCH_USE_PYTORCH === '1') return describe(env);

  const pin = manifest.cuda.libtorch;
  const folder = resolve('.libtorch', `${pin}-cuda`);
  env.PYTHONPATH = [folder, process.env.PYTHONPATH].filter(Boolean).join(delimiter);
  const found = existsSync(folder) && (await describe(env));
  if (found) return found;
  rmSync(folder, { recursive: true, force: true }); // installed by another Python
  console.log(`Fetching PyTorch ${pin} with CUDA by pip, once (3 GB; 5.4 GB on disk), into ${folder}`);
  if (!(await fetchByPip(`torch==${pin}`, folder, { timeout: 3_600_000 }))) return undefined;
  return describe(env);
}
