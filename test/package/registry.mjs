// A package registry on loopback. Our own packages are published to it; it proxies all others from the configured registry.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { npm } from '../../packaging/npm.mjs';

const require = createRequire(import.meta.url);
const verdaccio = join(dirname(require.resolve('verdaccio/package.json')), 'bin', 'verdaccio');

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function configuredRegistry() {
  const { stdout } = spawnSync(process.execPath, [npm.entry, 'config', 'get', 'registry'], {
    encoding: 'utf8',
  });
  return stdout.trim();
}

/** Starts a registry with an empty storage in `folder`. */
export async function startRegistry(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const config = join(folder, 'config.json'); // JSON is YAML too
  const open = { access: '$all', publish: '$authenticated' };
  writeFileSync(
    config,
    JSON.stringify({
      storage: join(folder, 'storage'),
      auth: { htpasswd: { file: join(folder, 'htpasswd') } },
      uplinks: { configured: { url: configuredRegistry(), timeout: '60s', maxage: '60m' } },
      packages: { ghostnet: open, '@ghostnet/*': open, '**': { access: '$all', proxy: 'configured' } },
      web: { enable: false },
      max_body_size: '400mb', // a package is published inside JSON, as base64
      log: { type: 'stdout', format: 'pretty', level: 'warn' },
    }),
  );
  const log = openSync(join(folder, 'registry.log'), 'w');
  const args = [verdaccio, '--config', config, '--listen', `127.0.0.1:${port}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
  const stop = () => child.kill();
  process.once('exit', stop);
  for (let attempt = 0; ; attempt += 1) {
    if (child.exitCode !== null || attempt > 300)
      throw new Error(`The registry did not start: see ${folder}/registry.log`);
    const response = await fetch(`${url}-/ping`).catch(() => undefined);
    if (response?.ok) break;
    await sleep(100);
  }

  const user = { name: 'test', password: 'a password for loopback' };
  const response = await fetch(`${url}-/user/org.couchdb.user:test`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(user),
  });
  const { token } = await response.json();
  const userconfig = join(folder, 'npmrc');
  writeFileSync(userconfig, `//127.0.0.1:${port}/:_authToken=${token}\n`);

  return {
    url,
    /** The folder with the tarballs that were published or asked for. */
    storage: join(folder, 'storage'),
    /** Publishes all packed packages, like a release. */
    publish() {
      const script = fileURLToPath(new URL('../../packaging/publish.mjs', import.meta.url));
      const env = { ...process.env, npm_config_registry: url, npm_config_userconfig: userconfig };
      const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit', env });
      if (status !== 0) throw new Error('The packages could not be published');
    },
    stop,
  };
}
