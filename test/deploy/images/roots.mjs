// Root file systems like those of the base images, made of Debian's packages: what a base does not list, they lack.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { npm } from '../../../packaging/npm.mjs';
import { root } from '../../../packaging/project.mjs';
import { nodeBinary } from '../../package/tools.mjs';

const release = 'bookworm';
const mirror = 'http://deb.debian.org/debian';
const folder = join(root, 'build', 'deploy', 'roots');

/** What gcr.io/distroless/nodejs22-debian12 lists: base, and the libraries of cc. */
const distrolessPackages = [
  'base-files',
  'ca-certificates',
  'gcc-12-base',
  'libc6',
  'libgcc-s1',
  'libgomp1',
  'libssl3',
  'libstdc++6',
  'netbase',
  'tzdata',
];

/** Why the roots cannot be made on this machine; undefined if they can. */
export function obstacleToRoots() {
  if (spawnSync('debootstrap', ['--version']).error) return 'debootstrap is not installed';
  return undefined;
}

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stdout.slice(-2000)}${stderr}`);
}

/** A root that is made once, and kept in build/. */
function kept(name, make) {
  const place = join(folder, name);
  if (!existsSync(place)) {
    mkdirSync(folder, { recursive: true });
    const draft = mkdtempSync(join(folder, 'draft-'));
    make(draft);
    renameSync(draft, place);
    run('chmod', ['755', place]);
  }
  return place;
}

function addNode(at, place) {
  mkdirSync(join(at, dirname(place)), { recursive: true });
  cpSync(nodeBinary('22'), join(at, place));
}

/** node:22-slim: a minimal Debian, Node and npm in /usr/local, and the user node. */
const slim = () =>
  kept('slim', (at) => {
    run('debootstrap', ['--variant=minbase', release, at, mirror]);
    rmSync(join(at, 'var/cache/apt/archives'), { recursive: true });
    addNode(at, 'usr/local/bin/node');
    const modules = 'usr/local/lib/node_modules';
    cpSync(join(dirname(npm.entry), '..'), join(at, modules, 'npm'), { recursive: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(at, 'usr/local/bin/npm'));
    appendFileSync(join(at, 'etc/passwd'), 'node:x:1000:1000::/home/node:/bin/bash\n');
    appendFileSync(join(at, 'etc/group'), 'node:x:1000:\n');
  });

/** gcr.io/distroless/nodejs22-debian12: no shell, no package manager. */
const distroless = () =>
  kept('distroless', (at) => {
    const archives = join(at, 'archives');
    mkdirSync(archives);
    run('apt-get', ['-q', 'download', ...distrolessPackages], archives);
    for (const name of readdirSync(archives)) run('dpkg-deb', ['--extract', join(archives, name), at]);
    rmSync(archives, { recursive: true });
    for (const name of ['proc', 'dev', 'tmp', 'home/nonroot']) mkdirSync(join(at, name), { recursive: true });
    writeFileSync(
      join(at, 'etc/passwd'),
      'root:x:0:0::/root:/sbin/nologin\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n',
    );
    addNode(at, 'nodejs/bin/node');
    // `env` of inRoot(), which starts the command, is not part of the base: a static program stands outside.
  });

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The base images, with what their configuration says. */
export const bases = {
  'node:22-slim': { make: slim, env: { PATH: path }, user: 'root', entrypoint: [] },
  'gcr.io/distroless/nodejs22-debian12:nonroot': {
    make: distroless,
    env: { PATH: path },
    user: 'nonroot',
    entrypoint: ['/nodejs/bin/node'],
  },
};
