// The programs and libraries that a build from source needs. Reports all missing ones at once, before a long step begins:
//   node cmake/prerequisites.mjs [--tests]              prints them with the line that installs them; exit code 1
//   node cmake/prerequisites.mjs [--tests] --packages   prints the missing Debian packages, for scripts
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { manifest, root } from '../packaging/project.mjs';

const [, oldestCMake] = /cmake_minimum_required\(VERSION ([\d.]+)\)/.exec(
  readFileSync(join(root, 'CMakeLists.txt'), 'utf8'),
);
// The first version that knows the tags of LibTorch's wheels.
const oldestPip = '20.3';

/**
 * Each prerequisite with its package for each package manager. `fault` returns undefined if it is present, '' if it is missing,
 * and a text if it is unusable. `renew` is the line that replaces a version which is too old and which the package manager may
 * not be able to update. `onlyFor` is the kind of processor that needs it, as process.arch names it.
 */
export const prerequisites = [
  {
    name: 'a C++20 compiler (GCC 11 or newer)',
    packages: { 'apt-get': 'g++', dnf: 'gcc-c++', brew: 'gcc' },
    fault: () => {
      const source = '#include <source_location>\n#if __cplusplus < 202002L\n#error\n#endif\n';
      if (preprocesses(source)) return undefined;
      const found = versionOf(compiler(), ['-dumpfullversion']);
      return found && `${found} was found, which is too old or lacks its standard library`;
    },
  },
  {
    name: `CMake ${oldestCMake} or newer`,
    packages: { 'apt-get': 'cmake', dnf: 'cmake', brew: 'cmake' },
    fault: () => olderThan(oldestCMake, versionOf(['cmake'])),
    renew: `python3 -m pip install 'cmake>=${oldestCMake}'`,
  },
  {
    name: 'make or ninja',
    packages: { 'apt-get': 'make', dnf: 'make', brew: 'ninja' },
    fault: () => (versionOf(['make']) || versionOf(['ninja']) ? undefined : ''),
  },
  {
    name: 'NASM, the assembler of libjpeg-turbo',
    packages: { 'apt-get': 'nasm', dnf: 'nasm', brew: 'nasm' },
    onlyFor: 'x64',
    fault: () => (process.env.ASM_NASM || versionOf(['nasm']) ? undefined : ''),
  },
  {
    name: `pip ${oldestPip} or newer, which fetches LibTorch`,
    packages: { 'apt-get': 'python3-pip', dnf: 'python3-pip', brew: 'python' },
    fault: () => (fetchesLibTorch() ? olderThan(oldestPip, versionOf(['python3', '-m', 'pip'])) : undefined),
    renew: 'python3 -m pip install --upgrade pip',
  },
  {
    name: 'GoogleTest',
    packages: { 'apt-get': 'libgtest-dev', dnf: 'gtest-devel', brew: 'googletest' },
    onlyForTests: true,
    fault: () => (namesGoogleTest() || preprocesses('#include <gtest/gtest.h>\n') ? undefined : ''),
  },
];

/** Runs a command. @returns its standard output, undefined if it fails */
function output([command, ...args], input) {
  const { status, stdout } = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return status === 0 ? stdout : undefined;
}

/** The first version number that a program prints, '' if the program is missing. */
function versionOf(command, args = ['--version']) {
  return /\d+(\.\d+)+/.exec(output([...command, ...args]) ?? '')?.[0] ?? '';
}

function olderThan(oldest, version) {
  const [major, minor] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldest.split('.').map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return version && `${version} was found`;
}

/** The compiler that CMake will choose. */
function compiler() {
  if (process.env.CXX) return process.env.CXX.split(' ');
  return [['c++', 'g++', 'clang++'].find((name) => versionOf([name])) ?? 'c++'];
}

function preprocesses(source) {
  return output([...compiler(), '-std=c++20', '-x', 'c++', '-E', '-'], source) !== undefined;
}

/** Whether the build will fetch LibTorch; see LibTorch.cmake. */
function fetchesLibTorch() {
  const { LIBTORCH, LIBTORCH_USE_PYTORCH } = process.env;
  const fetched = join(root, '.libtorch', `${manifest.libtorch.version}-cpu`, 'complete');
  return !LIBTORCH && LIBTORCH_USE_PYTORCH !== '1' && !existsSync(fetched);
}

/** Whether a variable tells CMake where GoogleTest is: the compiler alone need not find it. */
function namesGoogleTest() {
  return ['GTest_ROOT', 'GTest_DIR', 'GTEST_ROOT', 'CMAKE_PREFIX_PATH'].some((name) => process.env[name]);
}

/** @returns the prerequisites that this machine lacks, each with its fault as `found` */
export function findMissing({ tests }) {
  return prerequisites
    .filter(({ onlyForTests }) => tests || !onlyForTests)
    .filter(({ onlyFor = process.arch }) => onlyFor === process.arch)
    .map((needed) => ({ ...needed, found: needed.fault() }))
    .filter(({ found }) => found !== undefined);
}

/** The line that installs the missing packages. */
function lineFor(missing, manager, isRoot) {
  const as = isRoot || manager === 'brew' ? '' : 'sudo ';
  const isTooOld = ({ found, renew }) => found !== '' && renew !== undefined;
  const names = missing.filter((needed) => !isTooOld(needed)).map(({ packages }) => packages[manager]);
  return [
    // The lists of a fresh Debian are empty.
    names.length > 0 && manager === 'apt-get' && `${as}apt-get update`,
    names.length > 0 && `${as}${manager} install ${names.join(' ')}`,
    ...missing.filter(isTooOld).map(({ renew }) => renew),
  ]
    .filter(Boolean)
    .join(' && ');
}

/**
 * @param missing the result of findMissing()
 * @param manager a package manager that the prerequisites name; undefined if the machine has none of them
 */
export function messageFor(missing, manager, isRoot) {
  const list = missing.map(({ name, found }) => `  - ${name}${found ? `: ${found}` : ''}`);
  const advice = manager
    ? `Install the missing packages, then run the command again:\n\n  ${lineFor(missing, manager, isRoot)}`
    : 'Install them, then run the command again.';
  return ['This machine lacks:', ...list, '', advice].join('\n');
}

/** Prints a message and ends the process if the machine lacks a prerequisite. */
export function requirePrerequisites(options) {
  const missing = findMissing(options);
  if (missing.length === 0) return;
  const manager = ['apt-get', 'dnf', 'brew'].find((name) => versionOf([name]));
  console.error(`\n${messageFor(missing, manager, process.getuid?.() === 0)}\n`);
  process.exit(1);
}

if (process.argv[1] === import.meta.filename) {
  const tests = process.argv.includes('--tests');
  if (!process.argv.includes('--packages')) requirePrerequisites({ tests });
  else
    console.log(
      findMissing({ tests })
        .map(({ packages }) => packages['apt-get'])
        .join(' '),
    );
}
