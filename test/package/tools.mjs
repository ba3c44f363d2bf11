// Versions of Node and package managers, fetched by npm into build/, and a PATH that contains nothing else.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { npm } from '../../packaging/npm.mjs';
import { root } from '../../packaging/project.mjs';

/**
 * Fetches a package from the configured registry.
 *
 * @param scripts - whether its scripts run, as to compile it, with the tools of this machine
 * @returns its folder
 */
export function bring(name, version, scripts = false) {
  const folder = join(root, 'build', 'tools', `${name.replace('/', '+')}@${version}`);
  const installed = join(folder, 'node_modules', name);
  if (!existsSync(installed)) {
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund'];
    if (!scripts) args.push('--ignore-scripts');
    const { status, stderr } = spawnSync(process.execPath, [npm.entry, ...args, `${name}@${version}`], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`npm could not fetch ${name}@${version}: ${stderr}`);
  }
  return installed;
}

/** @returns the path of a node binary: for 'this' that of this process, otherwise the newest of a major version, or 'latest' */
export function nodeBinary(version) {
  if (version === 'this') return process.execPath;
  return join(bring(`node-${process.platform}-${process.arch}`, version), 'bin', 'node');
}

export const managers = {
  npm: {
    script: () => npm.entry,
    install: ['install', '--no-audit', '--no-fund'],
    exec: ['exec', '--'],
  },
  pnpm: {
    // The newest version, written in JavaScript, that runs on each Node.
    script: (major) =>
      major < 22
        ? join(bring('pnpm', '10.34.9'), 'bin', 'pnpm.cjs')
        : join(bring('pnpm', '11.28.11'), 'bin', 'pnpm.mjs'),
    install: ['add'],
    exec: ['exec'],
  },
  'yarn 1': {
    script: () => join(bring('yarn', '1.22.22'), 'bin', 'yarn.js'),
    install: ['add', '--non-interactive'],
    exec: ['--silent', 'run'],
  },
  'yarn 4': {
    script: () => join(bring('@yarnpkg/cli-dist', '4.18.1'), 'bin', 'yarn.js'),
    install: ['add'],
    exec: ['run'],
  },
};

// The programs of every Linux that package managers use: no compiler, no CMake, no Python.
const basics = ['sh', 'basename', 'dirname', 'sed', 'uname'];

/** A folder for the PATH with the programs of a typical user: node, the package manager and the basics. */
export function binFolder(folder, node, manager) {
  const major = Number(
    spawnSync(node, ['--print', 'process.versions.node'], { encoding: 'utf8' }).stdout.split('.')[0],
  );
  mkdirSync(folder, { recursive: true });
  symlinkSync(node, join(folder, 'node'));
  for (const name of basics) symlinkSync(join('/bin', name), join(folder, name));
  const script = managers[manager].script(major);
  const wrap = (name, words) => {
    writeFileSync(join(folder, name), `#!/bin/sh\nexec node "${script}" ${words}"$@"\n`);
    chmodSync(join(folder, name), 0o755);
  };
  wrap(manager.split(' ')[0], '');
  if (manager === 'npm') wrap('npx', 'exec -- ');
  return folder;
}
