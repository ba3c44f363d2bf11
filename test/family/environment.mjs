// The Python packages of the suite, in a folder of the clone's own: build/family/python.
//   node test/family/environment.mjs   installs them, once; exit code 1 and the reason if pip cannot get them
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../build/family/python', import.meta.url));
const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));
/** Written last, so that an installation that was interrupted begins again. */
const done = join(folder, 'installed.txt');

/** The variables under which python3 finds these packages, and those of no user. */
export const environment = {
  ...process.env,
  PYTHONPATH: folder,
  PYTHONNOUSERSITE: '1',
  HF_HUB_OFFLINE: '1',
  // Most networks here are so small that threads cost more than they gain, several times that on a machine with other work.
  OMP_NUM_THREADS: '1',
};

export function isInstalled() {
  return existsSync(done) && readFileSync(done, 'utf8') === readFileSync(requirements, 'utf8');
}

/** @returns why pip could not install the packages, undefined if they are there */
export function install() {
  if (isInstalled()) return undefined;
  rmSync(folder, { recursive: true, force: true });
  // So that an index that does not answer costs seconds, not minutes.
  const patience = ['--retries', '0', '--timeout', '5'];
  const args = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-deps', ...patience];
  const command = ['-m', 'pip', 'install', ...args, '--target', folder, '--requirement', requirements];
  const { status, error, stdout, stderr } = spawnSync('python3', command, { encoding: 'utf8' });
  if (status === 0) {
    writeFileSync(done, readFileSync(requirements));
    return undefined;
  }
  const [reason = 'no output'] = error ? [error.message] : `${stdout}${stderr}`.trim().split('\n').slice(-1);
  return `pip cannot install the packages of test/family/requirements.txt: ${reason}`;
}

if (process.argv[1] === import.meta.filename) {
  const obstacle = install();
  if (obstacle !== undefined) {
    console.error(obstacle);
    process.exit(1);
  }
}
