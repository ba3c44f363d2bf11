// npm run fuzz:jpeg -- [--runs N] [--seed S] [--run I] [<JPEG file>...]: damaged files for the JPEG decoder, which is built with
// AddressSanitizer and UndefinedBehaviorSanitizer, without LibTorch; native/test/fuzz/jpeg_fuzz.cpp says what the options mean.
// The build tree is kept in build/fuzz.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { forgetOtherPlace } from '../../cmake/configure.mjs';

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '20200326' },
    run: { type: 'string' },
    report: { type: 'string' },
  },
});
const build = join('build', 'fuzz');
const sanitizers = 'address,undefined';
const failure = join(build, 'failure.jpg');

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? status}`);
}

function finish(totals) {
  if (options.report) {
    mkdirSync(dirname(options.report), { recursive: true });
    writeFileSync(options.report, JSON.stringify(totals));
  }
  process.exit(totals.failed > 0 ? 1 : 0);
}

/** Not every compiler comes with the libraries of its sanitizers. */
function hasSanitizers() {
  if (process.platform === 'win32') return false;
  const [compiler, ...flags] = (process.env.CXX ?? 'c++').split(' ');
  const program = [...flags, `-fsanitize=${sanitizers}`, '-x', 'c++', '-', '-o', join(build, 'probe')];
  return spawnSync(compiler, program, { input: 'int main() {}\n' }).status === 0;
}

mkdirSync(build, { recursive: true });
if (!hasSanitizers()) {
  console.log('Skipped:\n  the JPEG decoder with damaged files: the compiler has no sanitizers');
  finish({ passed: 0, failed: 0, skipped: 1 });
}
try {
  forgetOtherPlace(build);
  if (!existsSync(join(build, 'CMakeCache.txt'))) {
    const ninja = spawnSync('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
    const settings = [
      '-DCMAKE_BUILD_TYPE=Release',
      '-DGHOSTNET_FUZZ=ON',
      `-DGHOSTNET_SANITIZE=${sanitizers}`,
    ];
    run('cmake', ['-S', '.', '-B', build, ...ninja, ...settings]);
  }
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism());
  run('cmake', ['--build', build, '--target', 'jpeg_fuzz', '--parallel', jobs]);
  rmSync(failure, { force: true });
  const which = options.run === undefined ? ['--runs', options.runs] : ['--run', options.run];
  const program = join(build, 'native', 'test', 'fuzz', 'jpeg_fuzz');
  run(program, ['--seed', options.seed, ...which, '--failure', failure, ...files], {
    // The program counts its memory itself: the search for leaks does not work in every container.
    ASAN_OPTIONS: 'detect_leaks=0',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  });
  finish({ passed: 1, failed: 0, skipped: 0 });
} catch (error) {
  console.error(error.message);
  console.error(`npm run fuzz:jpeg -- --seed ${options.seed} --run <the number of the run> repeats it.`);
  finish({ passed: 0, failed: 1, skipped: 0 });
}
