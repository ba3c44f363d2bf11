// The Python packages of a suite, in a folder of the clone's own: build/<suite>/python, from test/<suite>/requirements.txt.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

export class PythonPackages {
  /** @param {string} suite - its folder in test/ */
  constructor(suite) {
    this.folder = fileURLToPath(new URL(`build/${suite}/python`, root));
    this.requirements = `test/${suite}/requirements.txt`;
    /** Written last, so that an installation that was interrupted begins again. */
    this.done = join(this.folder, 'installed.txt');
    /** The variables under which python3 finds these packages, and those of no user. */
    this.environment = { ...process.env, PYTHONPATH: this.folder, PYTHONNOUSERSITE: '1' };
  }

  get #required() {
    return readFileSync(new URL(this.requirements, root), 'utf8');
  }

  get isInstalled() {
    return existsSync(this.done) && readFileSync(this.done, 'utf8') === this.#required;
  }

  /** @returns why pip could not install the packages, undefined if they are there */
  install() {
    if (this.isInstalled) return undefined;
    rmSync(this.folder, { recursive: true, force: true });
    // So that an index that does not answer costs seconds, not minutes.
    const patience = ['--retries', '0', '--timeout', '5'];
    const args = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-deps', ...patience];
    const requirements = fileURLToPath(new URL(this.requirements, root));
    const command = ['-m', 'pip', 'install', ...args, '--target', this.folder, '--requirement', requirements];
    const { status, error, stdout, stderr } = spawnSync('python3', command, { encoding: 'utf8' });
    if (status === 0) {
      writeFileSync(this.done, this.#required);
      return undefined;
    }
    const [reason = 'no output'] = error
      ? [error.message]
      : `${stdout}${stderr}`.trim().split('\n').slice(-1);
    return `pip cannot install the packages of ${this.requirements}: ${reason}`;
  }

  /** Installs them, once, for the script of the suite that does nothing else: exit code 1 and the reason if pip cannot get them. */
  installAlone() {
    const obstacle = this.install();
    if (obstacle === undefined) return;
    console.error(obstacle);
    process.exit(1);
  }
}
