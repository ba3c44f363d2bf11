// npm run test:cuda-link: the prebuilt part for GPUs, opened where there is no driver: it is told why none can be used, 'auto' runs
// on the CPU, doctor finds nothing wrong. Where there is a GPU, the network runs on it. Ends with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const folder = join('prebuilds', `${process.platform}-${process.arch}`);
const env = { ...process.env, GHOSTNET_CUDA_LIBRARY: join(folder, 'ghostnet_cuda.so') };
const totals = { passed: 0, failed: 0 };

function check(what, pass, found) {
  totals[pass ? 'passed' : 'failed'] += 1;
  console.log(`${pass ? 'passed' : 'FAILED'}  ${what}${pass ? '' : `: ${found}`}`);
}

function node(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const devices = node(join('test', 'support', 'device.mjs'), 'cuda', 'auto', 'auto');
check('it can be opened', devices.status === 0, devices.stderr);
if (devices.status === 0) {
  const { outcomes, warnings } = JSON.parse(devices.stdout);
  const [cuda, auto, again] = outcomes;
  console.log(`        ${JSON.stringify(cuda)}`);
  if (cuda.on === undefined) {
    check("'cuda' is told that there is no GPU", cuda.code === 'GHOSTNET_CUDA_UNAVAILABLE', cuda.code);
    check("'auto' runs on the CPU", auto.on === 'cpu' && again.on === 'cpu', auto.on);
    check('with one warning', warnings.length === 1, JSON.stringify(warnings));
  } else {
    check('the network on the GPU is that of the CPU', cuda.error < 1e-4, cuda.error);
    check("'auto' takes the GPU", auto.on === 'cuda:0', auto.on);
  }
}
const doctor = node(join('dist', 'cli', 'main.js'), 'doctor');
const line = /^gpu .*$/m.exec(doctor.stdout)?.[0];
check('doctor finds nothing wrong', doctor.status === 0, doctor.stdout);
check('doctor tells of it', /cuda:0|GHOSTNET_CUDA_UNAVAILABLE/.test(line ?? ''), line);
console.log(`        ${line}\n\n${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed > 0 ? 1 : 0);
