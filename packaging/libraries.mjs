// Finds the libraries of a LibTorch that its users need.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

import { readElf } from './formats/elf.mjs';
import { readMachO } from './formats/macho.mjs';

// For each system: how its libraries are read, which libraries are opened first (the same as at run time), and which libraries
// every such system has.
const systems = {
  linux: {
    read: readElf,
    roots: ['libc10.so', 'libtorch_cpu.so', 'libtorch.so'],
    ofSystem: /^(ld-linux-[\w-]+|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+))\.so\.\d+$/,
  },
  darwin: {
    read: readMachO,
    roots: ['libc10.dylib', 'libtorch_cpu.dylib', 'libtorch.dylib'],
    ofSystem: /^\/(usr\/lib|System)\//,
  },
};

/**
 * Follows the dependencies of each library, starting with the libraries that are opened first.
 *
 * @param {string} system - a process.platform
 * @param {string} folder - the folder of the libraries
 * @param {string} [addon] - a binary whose dependencies must be among them
 * @returns {string[]} file names in `folder`
 */
export function librariesFor(system, folder, addon) {
  const { read, roots, ofSystem } = systems[system];
  const found = new Set();
  const visit = (need, by) => {
    const name = basename(need);
    if (found.has(name) || ofSystem.test(need)) return;
    const path = join(folder, name);
    if (!existsSync(path))
      throw new Error(`${by} needs ${need}, which is neither in ${folder} nor a system library`);
    found.add(name);
    const { needed, soname } = read(path);
    if (soname !== undefined && soname !== name) throw new Error(`${path} has the SONAME ${soname}`);
    for (const next of needed) visit(next, name);
  };
  for (const name of roots) visit(name, 'the loader');
  for (const need of addon === undefined ? [] : read(addon).needed) {
    if (!found.has(basename(need)) && !ofSystem.test(need))
      throw new Error(`${addon} needs ${need}, which is not packed`);
  }
  return [...found];
}
