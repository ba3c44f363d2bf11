// The prerequisites of a build from source. Lists everything that is missing, before any long step begins:
//   node cmake/prerequisites.mjs [--tests]              a message with the line that installs it, and exit code 1
//   node cmake/prerequisites.mjs [--tests] --packages   the missing Debian packages, for a script
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
 * The prerequisites, with their packages by package manager. `fault` returns undefined if the prerequisite is present, else a text:
 * the wrong version, or an empty text. `renew` is the command that replaces a version that is too old, if the package manager may
 * have no newer version.
 */
export const prerequisites = [
  {
    name: 'a C++20 compiler (GCC 11 or newer)',
    packages: { 'apt-get': 'g++', dnf: 'gcc-c++', brew: 'gcc' },
    fault: () => {
      const source = '#include <source_location>\n#if __cplusplus < 202002L\n#error\n#endif\n';
      if (preprocesses(source)) return undefined;
      const found = versionOf(compiler(), ['-dumpfullversion']);
      return found && `${found} was found, or its standard library is missing`;
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

/** Runs a command. @returns its output, or undefined if it fails */
function output([command, ...args], input) {
  const { status, stdout } = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return status === 0 ? stdout : undefined;
}

/** The first version number that a program prints, or '' if there is no such program. */
function versionOf(command, args = ['--version']) {
  return /\d+(\.\d+)+/.exec(output([...command, ...args]) ?? '')?.[0] ?? '';
}

function olderThan(oldest, version) {
  const [major, minor] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldest.split('.').map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return version && `${version} was found`;
}

/** The compiler, chosen as CMake does. */
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

/** Whether CMake was given the place of GoogleTest, and so finds it without the compiler. */
function namesGoogleTest() {
  return ['GTest_ROOT', 'GTest_DIR', 'GTEST_ROOT', 'CMAKE_PREFIX_PATH'].some((name) => process.env[name]);
}

/** @returns the prerequisites that this machine lacks, each with its fault */
export function findMissing({ tests }) {
  if (process.platform === 'win32') return []; // cmake-js looks for Visual Studio
  return prerequisites
    .filter(({ onlyForTests }) => tests || !onlyForTests)
    .map((needed) => ({ ...needed, found: needed.fault() }))
    .filter(({ found }) => found !== undefined);
}

/** The commands that install the missing prerequisites. */
function lineFor(missing, manager, isRoot) {
  const as = isRoot || manager === 'brew' ? '' : 'sudo ';
  const isTooOld = ({ found, renew }) => found !== '' && renew !== undefined;
  const names = missing.filter((needed) => !isTooOld(needed)).map(({ packages }) => packages[manager]);
  return [
    // The package lists of a fresh Debian are empty.
    names.length > 0 && manager === 'apt-get' && `${as}apt-get update`,
    names.length > 0 && `${as}${manager} install ${names.join(' ')}`,
    ...missing.filter(isTooOld).map(({ renew }) => renew),
  ]
    .filter(Boolean)
    .join(' && ');
}

/**
 * @param missing the result of findMissing()
 * @param manager a package manager that the prerequisites name; undefined if there is none
 */
export function messageFor(missing, manager, isRoot) {
  const list = missing.map(({ name, found }) => `  - ${name}${found ? `: ${found}` : ''}`);
  const advice = manager
    ? `Install the missing packages, then run the command again:\n\n  ${lineFor(missing, manager, isRoot)}`
    : 'Install them, then run the command again.';
  return ['This machine lacks:', ...list, '', advice].join('\n');
}

/** Ends the process with a message if the machine lacks a prerequisite. */
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
