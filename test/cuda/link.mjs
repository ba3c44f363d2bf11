// npm run test:cuda-link: opens the libraries linked with CUDA on a machine without a driver. Ends with "N passed, N failed".
//   1. the prebuilt GPU library: it reports why no GPU can be used, 'auto' runs on the CPU, doctor finds nothing wrong
//   2. the operator's CUDA backend, linked with a LibTorch with CUDA and loaded by PyTorch
// On a machine with a GPU, the network and the operator run on it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { buildCuda } from '../../packaging/build-cuda.mjs';
import { run } from './shell.mjs';
import { findCudaTorch } from './tools.mjs';

const totals = { passed: 0, failed: 0, skipped: 0 };

function check(what, pass, found) {
  totals[pass ? 'passed' : 'failed'] += 1;
  console.log(`${pass ? 'passed' : 'FAILED'}  ${what}${pass ? '' : `: ${found}`}`);
}

function checkLibrary() {
  const folder = join('prebuilds', `${process.platform}-${process.arch}`);
  const env = { ...process.env, GHOSTNET_CUDA_LIBRARY: join(folder, 'ghostnet_cuda.so') };
  const node = (...args) => spawnSync(process.execPath, args, { env, encoding: 'utf8' });

  const devices = node(join('test', 'support', 'device.mjs'), 'cuda', 'auto', 'auto');
  check('it can be opened', devices.status === 0, devices.stderr);
  if (devices.status === 0) {
    const { outcomes, warnings } = JSON.parse(devices.stdout);
    const [cuda, auto, again] = outcomes;
    console.log(`        ${JSON.stringify(cuda)}`);
    if (cuda.on === undefined) {
      check("'cuda' reports that there is no GPU", cuda.code === 'GHOSTNET_CUDA_UNAVAILABLE', cuda.code);
      check("'auto' runs on the CPU", auto.on === 'cpu' && again.on === 'cpu', auto.on);
      check('with one warning', warnings.length === 1, JSON.stringify(warnings));
    } else {
      check('the network on the GPU is that of the CPU', cuda.error < 1e-4, cuda.error);
      check("'auto' uses the GPU", auto.on === 'cuda:0', auto.on);
    }
  }
  const doctor = node(join('dist', 'cli', 'main.js'), 'doctor');
  const line = /^gpu .*$/m.exec(doctor.stdout)?.[0];
  check('doctor finds nothing wrong', doctor.status === 0, doctor.stdout);
  check('doctor reports the GPU', /cuda:0|GHOSTNET_CUDA_UNAVAILABLE/.test(line ?? ''), line);
  console.log(`        ${line}`);
}

async function checkOperator() {
  const torch = await findCudaTorch();
  if (!torch) {
    console.log(
      "SKIPPED: no PyTorch with CUDA, so the operator's CUDA backend was neither linked nor loaded.",
    );
    totals.skipped += 1;
    return;
  }
  console.log(`        PyTorch ${torch.version}`);
  // Machine code for every GPU of compute capability 8, and PTX for the others.
  const build = { folder: 'cuda-operator', target: 'ghostnet_gpu_test', architectures: 80, env: torch.env };
  const library = join(buildCuda(build).folder, 'libghostnet_gpu_test.so');
  const python = (script, ...args) =>
    run('python3', [join('native', 'test', 'gpu', script), library, ...args], { env: torch.env });

  const loaded = await python('loads.py');
  check('it can be loaded', loaded.status === 0, loaded.output);
  if (loaded.status === 0) {
    const { CPU, CUDA, gpu, apart, error } = JSON.parse(loaded.printed);
    check('both backends are registered', CPU && CUDA, loaded.printed);
    if (gpu === null) {
      check('a tensor on a GPU is an error that can be caught', error !== undefined, loaded.printed);
      console.log(`        ${error}`);
    } else {
      check('the GPU computes what the CPU does', apart < 1e-5, error ?? apart);
    }
  }
  const modules = await python('kernels.py', '--cpu', '--few');
  const last = modules.printed.trim().split('\n').at(-1);
  check('tensors on the CPU give what float64 gives', modules.status === 0, modules.output);
  console.log(`        modules: ${last}`);
}

console.log('\n== The library ==');
checkLibrary();
console.log("\n== The operator's CUDA backend ==");
await checkOperator();

const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exit(totals.failed > 0 ? 1 : 0);
