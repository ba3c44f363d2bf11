// What an installation costs, by part, and whether docs/install.md says so.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { root } from '../../packaging/project.mjs';

const gpuLibrary = 'ghostnet_cuda.so';
const platform = `${process.platform}-${process.arch}`;

/** How much more or less a part may be than the page says: a share, and megabytes for small parts. */
const tolerance = { share: 0.05, megabytes: 0.15 };

/** The bytes of files in a folder whose paths match. */
function bytesIn(folder, isPart = () => true) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => isPart(path.slice(folder.length + 1)))
    .reduce((sum, path) => sum + statSync(path).size, 0);
}

/** The packages of a node_modules without those of others within them. */
function packagesIn(modules) {
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    );
}

/** The size of a package as the registry sends it. */
function packedSize(storage, modules, name) {
  const { version } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
  return statSync(join(storage, name, `${basename(name)}-${version}.tgz`)).size;
}

/**
 * @param {string} modules - the node_modules of an installation with npm
 * @param {string} storage - that of the registry it came from
 * @returns {[part: string, packed: number | undefined, onDisk: number][]} in bytes
 */
export function costsOf(modules, storage) {
  const own = join(modules, 'ghostnet');
  const below = (folder) => (path) => path.startsWith(folder);
  const all = packagesIn(modules);
  const libtorch = `@ghostnet/libtorch-${platform}`;
  const sharp = all.filter((name) => name === 'sharp' || name.startsWith('@img/'));
  const others = all.filter((name) => !['ghostnet', libtorch, ...sharp].includes(name));
  const installed = (names) => names.reduce((sum, name) => sum + bytesIn(join(modules, name)), 0);
  const gpu = join(own, 'prebuilds', platform, gpuLibrary);
  // Not counted, because not every machine that makes packages has nvcc.
  const [packedGpu, onDiskGpu] = existsSync(gpu)
    ? [gzipSync(readFileSync(gpu)).length, statSync(gpu).size]
    : [0, 0];
  const packed = (names) => names.reduce((sum, name) => sum + packedSize(storage, modules, name), 0);
  return [
    ['ghostnet', packed(['ghostnet']) - packedGpu, bytesIn(own) - onDiskGpu],
    ['its JavaScript', undefined, bytesIn(own, (path) => path.endsWith('js'))],
    ['its types', undefined, bytesIn(own, (path) => path.endsWith('ts'))],
    ['its embedded model', undefined, bytesIn(own, below('models/'))],
    ['its binaries', undefined, bytesIn(own, below('prebuilds/')) - onDiskGpu],
    ['LibTorch', packed([libtorch]), installed([libtorch])],
    ['sharp', packed(sharp), installed(sharp)],
    ['all others', packed(others), installed(others)],
    ['together', packed(all) - packedGpu, installed(all) - onDiskGpu],
  ];
}

/** The costs as rows of the table. */
export function rowsOf(costs) {
  const megabytes = (bytes) => (bytes === undefined ? '' : (bytes / 1e6).toFixed(1));
  return costs.map(([part, packed, onDisk]) => [part, megabytes(packed), megabytes(onDisk)]);
}

/** The table in docs/install.md. */
function documented() {
  const page = readFileSync(join(root, 'docs', 'install.md'), 'utf8');
  const [, section] = /^## What an install costs$(.*?)^## /ms.exec(page) ?? [];
  const rows = [...(section ?? '').matchAll(/^\| ([^|]+?) +\| +([\d.]*) +\| +([\d.]+) +\|$/gm)];
  return new Map(rows.map(([, part, packed, onDisk]) => [part, { packed, onDisk }]));
}

/** @throws {Error} if the page has other numbers */
export function checkCosts(modules, storage) {
  const page = documented();
  const rows = rowsOf(costsOf(modules, storage));
  const table = rows.map((row) => row.join(' | ')).join('\n');
  assert.deepEqual(
    rows.map(([part]) => part),
    [...page.keys()],
    table,
  );
  for (const [part, packed, onDisk] of rows) {
    for (const [column, found] of Object.entries({ packed, onDisk })) {
      const said = Number(page.get(part)[column]);
      const slack = Math.max(said * tolerance.share, tolerance.megabytes);
      assert.ok(
        Math.abs(Number(found) - said) <= slack,
        `${part}, ${column}: ${found}, not ${said}\n${table}`,
      );
    }
  }
}
