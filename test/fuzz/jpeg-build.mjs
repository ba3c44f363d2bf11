// Builds the fuzzers of the JPEG decoder, without LibTorch and Node. The build trees are kept: build/fuzz, and build/fuzz-guided for
// clang's libFuzzer.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { forgetOtherPlace } from '../../cmake/configure.mjs';

const sanitizers = 'address,undefined';

/** The environment of both fuzzers. They count their memory themselves: the search for leaks does not work in every container. */
export const environment = {
  ASAN_OPTIONS: 'detect_leaks=0',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
};

export const kinds = {
  /** Makes its inputs itself. */
  made: { build: join('build', 'fuzz'), target: 'jpeg_fuzz', sanitizers, compilers: undefined },
  /** Is guided by the code that its inputs reach. */
  guided: {
    build: join('build', 'fuzz-guided'),
    target: 'jpeg_guided',
    sanitizers: `${sanitizers},fuzzer-no-link`,
    compilers: ['clang', 'clang++'],
  },
};

/** Runs a command, whose output is shown. @throws {Error} when it fails */
export function run(command, args, env = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? signal ?? status}`);
}

/** Whether a compiler has the libraries of its sanitizers, and libFuzzer for the guided kind: not every one has. */
export function canBuild({ build, sanitizers: wanted, compilers }) {
  mkdirSync(build, { recursive: true });
  const [compiler, ...flags] =
    compilers === undefined ? (process.env.CXX ?? 'c++').split(' ') : [compilers[1]];
  const isGuided = compilers !== undefined;
  const source = isGuided
    ? '#include <cstddef>\n#include <cstdint>\nextern "C" int LLVMFuzzerTestOneInput(const uint8_t*, size_t) { return 0; }\n'
    : 'int main() {}\n';
  const sanitize = `-fsanitize=${isGuided ? wanted.replace('fuzzer-no-link', 'fuzzer') : wanted}`;
  const args = [...flags, sanitize, '-x', 'c++', '-', '-o', join(build, 'probe')];
  return spawnSync(compiler, args, { input: source }).status === 0;
}

/** @returns the path of the program. @throws {Error} when the build fails */
export function buildFuzzer({ build, target, sanitizers: wanted, compilers }) {
  forgetOtherPlace(build);
  if (!existsSync(join(build, 'CMakeCache.txt'))) {
    const ninja = spawnSync('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
    const settings = ['-DCMAKE_BUILD_TYPE=Release', '-DGHOSTNET_FUZZ=ON', `-DGHOSTNET_SANITIZE=${wanted}`];
    const chosen =
      compilers === undefined
        ? []
        : [`-DCMAKE_C_COMPILER=${compilers[0]}`, `-DCMAKE_CXX_COMPILER=${compilers[1]}`];
    run('cmake', ['-S', '.', '-B', build, ...ninja, ...settings, ...chosen]);
  }
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism());
  run('cmake', ['--build', build, '--target', target, '--parallel', jobs]);
  return join(build, 'native', 'test', 'fuzz', target);
}
