// Publishes the packages in build/packages/, LibTorch first, to the registry that npm is configured for. Versions that are already
// published are skipped: one LibTorch package serves many versions of ghostnet.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { npm } from './npm.mjs';
import { packages } from './project.mjs';

const tarballs = readdirSync(packages).filter((name) => name.endsWith('.tgz'));
const isLibTorch = (name) => name.startsWith('ghostnet-libtorch-');

function manifestOf(tarball) {
  const { stdout } = spawnSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' });
  return JSON.parse(stdout);
}

function run(args) {
  return spawnSync(process.execPath, [npm.entry, ...args], { encoding: 'utf8' });
}

if (tarballs.length === 0)
  throw new Error(`There are no packages in ${packages}: run \`npm run pack:ghostnet\` first`);
for (const file of tarballs.sort((a, b) => isLibTorch(b) - isLibTorch(a))) {
  const tarball = join(packages, file);
  const { name, version } = manifestOf(tarball);
  const { status: unknown } = run(['view', `${name}@${version}`, 'version', '--json']);
  if (unknown === 0) {
    console.log(`${name}@${version} is already published`);
    continue;
  }
  const args = ['publish', tarball, '--access', 'public', '--tag', version.includes('-') ? 'next' : 'latest'];
  if (process.env.GITHUB_ACTIONS === 'true') args.push('--provenance');
  const { status, stderr } = run(args);
  if (status !== 0) throw new Error(`npm publish ${file}: ${stderr}`);
  console.log(`${name}@${version} is published`);
}
