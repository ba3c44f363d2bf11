import { spawnSync } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findBinary } from '../../lib/native/binary.js';
import { findLibTorch, platformPackage } from '../../lib/native/libtorch.js';
import { librariesFor } from '../../packaging/libraries.mjs';
import { root } from './child.js';

/** The LibTorch package below a folder with a node_modules. */
const platformFolder = (below: string): string => join(below, 'node_modules', platformPackage);

interface Installation {
  /** Folder in prebuilds/; default: that of this system. */
  readonly platform?: string;
  /** The version of LibTorch with which the binary claims to be built. */
  readonly madeWith?: string;
}

/** Lays out the package like npm, with this clone's binaries instead of prebuilt binaries. @returns its folder */
export function install(folder: string, options: Installation = {}): string {
  const { folder: build, built } = findBinary();
  const { platform = `${process.platform}-${process.arch}`, madeWith = built.version } = options;
  const installed = join(folder, 'node_modules', 'ghostnet');
  for (const name of ['dist', 'models'])
    cpSync(new URL(name, root), join(installed, name), { recursive: true });
  for (const name of ['ghostnet.node', 'ghostnet_loader.node']) {
    cpSync(join(build, name), join(installed, 'prebuilds', platform, name));
  }
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as object;
  writeFileSync(
    join(installed, 'package.json'),
    JSON.stringify({ ...manifest, libtorch: { version: madeWith } }),
  );
  return installed;
}

/** Lays out the LibTorch package with this clone's LibTorch, below a folder with a node_modules. */
export function installLibTorch(below: string, version?: string): string {
  const { built } = findBinary();
  const { libraries } = findLibTorch(built);
  const folder = platformFolder(below);
  mkdirSync(join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: platformPackage }));
  cpSync(new URL('packaging/libtorch.index.cjs', root), join(folder, 'index.js'));
  writeFileSync(join(folder, 'version.py'), `__version__ = '${version ?? built.version}+cpu'\n`);
  const from = dirname(libraries[0] ?? '');
  for (const name of librariesFor(process.platform, from))
    linkSync(join(from, name), join(folder, 'lib', name));
  return folder;
}

/** The result of loading. */
export interface Outcome {
  readonly code: string;
  readonly message: string;
  readonly found?: string;
  readonly root?: string;
}

/** A module for `--import` that falsifies the system information of the process. */
export const pretend = (statements: string): string =>
  `data:text/javascript,${encodeURIComponent(statements)}`;

/** Loads the packages in these folders one after another in one process. @returns the result of the last */
export function load(
  folders: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Outcome {
  const script = `
    let outcome;
    for (const folder of ${JSON.stringify(folders)}) {
      const { GhostNet } = await import(folder + '/dist/index.js');
      const { nativeParts } = await import(folder + '/dist/native/load.js');
      outcome = await GhostNet.create({ width: 0.1 }).then(
        () => ({ code: 'none', message: '', root: nativeParts().libtorch.root }),
        ({ code, message, found }) => ({ code, message, found }));
    }
    console.log(JSON.stringify(outcome));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, '--input-type=module', '--eval', script],
    { cwd: root, env: { ...process.env, ...environment }, encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Outcome;
}

/** The clone itself, as a folder for {@link load}. */
export const clone = fileURLToPath(root).replace(/\/$/, '');
