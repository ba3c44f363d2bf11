// Builds the addon and its loader for macOS on Linux, into build/darwin/tree: compiled by zig, linked by lld. What comes out is read,
// never run and never published: zig's C++ library is newer than that of macOS.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../../packaging/project.mjs';

const folder = join(root, 'build', 'darwin');
const tree = join(folder, 'tree');
/** The oldest macOS that LibTorch's wheel is for. */
export const oldest = '14.0';

/** The oldest lld that reads the libraries of this LibTorch. */
const leastLld = 16;

/** lld for macOS, as it is named with and without a version. @returns its name, undefined if there is none that is new enough */
export function findLinker() {
  const names = ['ld64.lld', ...Array.from({ length: 15 }, (_, index) => `ld64.lld-${30 - index}`)];
  return names.find((name) => {
    const [, major] =
      /LLD (\d+)/.exec(spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout ?? '') ?? [];
    return Number(major) >= leastLld;
  });
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${error?.message ?? status}`);
}

function writeProgram(name, lines) {
  const path = join(folder, 'bin', name);
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(path, 0o755);
}

/** The programs that toolchain.cmake names, and the names of libSystem. */
function writeTools(zig, linker) {
  const bin = join(folder, 'bin');
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  const compiler = (name) => `exec "${join(zig, 'zig')}" ${name} -target aarch64-macos.${oldest}`;
  writeProgram('cc', [`${compiler('cc')} "$@"`]);
  // CMake links programs only to try the compiler: none needs zig's C++ library, which takes minutes to compile.
  writeProgram('c++', [
    'case " $* " in *" -c "*) own= ;; *) own=-nostdlib++ ;; esac',
    `${compiler('c++')} $own "$@"`,
  ]);
  for (const name of ['ar', 'ranlib']) writeProgram(name, [`exec "${join(zig, 'zig')}" ${name} "$@"`]);
  writeProgram('ld', [`exec ${linker} "$@"`]);
  // Of processors that lld does not know.
  const stub = readFileSync(join(zig, 'lib', 'libc', 'darwin', 'libSystem.tbd'), 'utf8');
  writeFileSync(join(folder, 'libSystem.tbd'), stub.replaceAll(/,\s*arm64e\.x1-\w+/g, ''));
}

/**
 * @param {string} zig - the folder of the package ziglang
 * @param {string} linker - as findLinker() names it
 * @param {string} libtorch - a LibTorch for macOS with its headers
 * @returns {{ addon: string, loader: string, stub: string }} paths of the addons, and of the list of libSystem's symbols
 */
export function crossBuild(zig, linker, libtorch) {
  writeTools(zig, linker);
  const modules = join(root, 'node_modules');
  const headers = [join(modules, 'node-api-headers', 'include'), join(modules, 'node-addon-api')];
  const generator = spawnSync('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
  const options = [
    `-DCMAKE_TOOLCHAIN_FILE=${join(root, 'test', 'darwin', 'toolchain.cmake')}`,
    '-DCMAKE_BUILD_TYPE=Release',
    `-DCMAKE_JS_INC=${headers.join(';')}`,
  ];
  run('cmake', [...generator, '-S', root, '-B', tree, ...options], { LIBTORCH: libtorch });
  run('cmake', ['--build', tree, '--parallel', '--target', 'ghostnet', 'ghostnet_loader']);
  return {
    addon: join(tree, 'ghostnet.node'),
    loader: join(tree, 'ghostnet_loader.node'),
    stub: join(folder, 'libSystem.tbd'),
  };
}
