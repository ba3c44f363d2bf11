// npm run fuzz:jpeg -- [--runs N] [--seed S] [--run I] [<JPEG file>...]: damaged files for the JPEG decoder under AddressSanitizer and
// UndefinedBehaviorSanitizer; native/test/fuzz/jpeg_fuzz.cpp says what the options mean.
// npm run fuzz:jpeg -- --input <file>: a file as it is, such as one that failed.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { buildFuzzer, canBuild, environment, kinds, run } from './jpeg-build.mjs';

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '20200326' },
    run: { type: 'string' },
    input: { type: 'string' },
  },
});
const failure = join('build', 'fuzz', 'failure.jpg');

if (!canBuild(kinds.made)) throw new Error('The compiler has no sanitizers');
const program = buildFuzzer(kinds.made);
rmSync(failure, { force: true });
const { run: only, runs, seed, input } = options;
const which = only === undefined ? ['--runs', runs] : ['--first', only, '--runs', '1'];
const args =
  input === undefined ? ['--seed', seed, ...which, '--failure', failure, ...files] : ['--input', input];
try {
  run(program, args, environment);
} catch (error) {
  console.error(error.message);
  if (input === undefined) console.error(`npm run fuzz:jpeg -- --input ${failure} repeats it.`);
  process.exit(1);
}
