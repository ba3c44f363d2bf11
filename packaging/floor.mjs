// The system requirements of a binary, and the requirements that exceed the limits in package.json under "floor".
import { createRequire } from 'node:module';

import { readElf } from './formats/elf.mjs';

const { symbols: nodeApi } = createRequire(import.meta.url)('node-api-headers');

// Prefixes of symbol versions, and their names in package.json.
const families = { GLIBC: 'glibc', GLIBCXX: 'glibcxx', CXXABI: 'cxxabi' };

/**
 * @param {string} path - a native addon
 * @param {Record<string, string | number>} floor
 * @returns {{ needed: string[], highest: Record<string, string | number>, faults: string[] }} faults: one per symbol that is too new
 */
export function examine(path, floor) {
  const { needed, imports } = readElf(path);
  const highest = {};
  const faults = [];
  const count = (family, version, name) => {
    if (highest[family] === undefined || compare(version, highest[family]) > 0) highest[family] = version;
    if (compare(version, floor[family]) > 0) faults.push(`${name} needs ${family} ${version}`);
  };
  for (const { name, version } of imports) {
    const [prefix, number] = version?.split('_') ?? [];
    if (families[prefix] !== undefined) count(families[prefix], number, name);
    if (/^(napi|node_api)_/.test(name)) count('napi', napiVersionOf(name), name);
  }
  return { needed, highest, faults };
}

// The first version of Node-API with this function.
function napiVersionOf(name) {
  const versions = Object.keys(nodeApi).map((key) => Number(key.slice(1)));
  const has = (version) => Object.values(nodeApi[`v${version}`]).flat().includes(name);
  const first = versions.sort((a, b) => a - b).find(has);
  if (first === undefined) throw new Error(`No version of Node-API has ${name}`);
  return first;
}

/**
 * Compares versions by number.
 *
 * @param {string | number} a
 * @param {string | number} b
 * @returns {number} above 0 if `a` is newer
 */
export function compare(a, b) {
  const [left, right] = [a, b].map((version) => String(version).split('.').map(Number));
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
