// The JPEG decoder under AddressSanitizer and UndefinedBehaviorSanitizer, in slices: with libFuzzer, guided by what the inputs reach,
// if clang has it; else with inputs that jpeg_fuzz makes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { buildFuzzer, canBuild, environment, kinds, run } from './jpeg-build.mjs';

const failure = join(kinds.made.build, 'failure.jpg');
const corpus = join(kinds.guided.build, 'corpus');
const failures = join(kinds.guided.build, 'failures/');

/** The most bytes of an input of libFuzzer. */
const longest = 1 << 16;

/** Runs a fuzzer. @returns what it printed. @throws {Error} with the command that repeats the failure */
function fuzz(program, args, findInput) {
  const { status, signal, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, ...environment },
  });
  if (status === 0) return stdout + stderr;
  const tail = `${stdout}${stderr}`.split('\n').slice(-60).join('\n');
  throw new Error(
    `${tail}\nThe fuzzer ended with ${signal ?? status}.\nnpm run fuzz:jpeg -- --input ${findInput(tail)} repeats it.`,
  );
}

/** Inputs that jpeg_fuzz makes. */
function made() {
  const program = buildFuzzer(kinds.made);
  return (seed, from, to, met = { kind: 'made', last: '' }) => {
    const args = ['--seed', seed, '--first', from, '--runs', to - from, '--failure', failure];
    const printed = fuzz(program, args.map(String), () => failure);
    return { ...met, last: printed.trim() };
  };
}

/** Inputs of libFuzzer. Its corpus stays from slice to slice. */
function guided() {
  const maker = buildFuzzer(kinds.made);
  const program = buildFuzzer(kinds.guided);
  for (const folder of [corpus, failures]) mkdirSync(folder, { recursive: true });
  run(maker, ['--corpus', corpus], environment);
  return (seed, from, to, met = { kind: 'guided' }) => {
    const options = {
      seed: (seed + from) % 2 ** 32 || 1,
      runs: to - from,
      max_len: longest,
      timeout: 60,
      rss_limit_mb: 2048,
      print_final_stats: 1,
      artifact_prefix: failures,
    };
    const args = Object.entries(options).map(([name, value]) => `-${name}=${value}`);
    const printed = fuzz(
      program,
      [...args, corpus],
      (tail) => /Test unit written to (\S+)/.exec(tail)?.[1] ?? failures,
    );
    const number = (pattern) => Number([...printed.matchAll(pattern)].at(-1)?.[1] ?? 0);
    return {
      ...met,
      executed: (met.executed ?? 0) + number(/stat::number_of_executed_units:\s+(\d+)/g),
      edges: number(/\bcov: (\d+)/g),
      features: number(/\bft: (\d+)/g),
      corpus: readdirSync(corpus).length,
    };
  };
}

export const jpeg = {
  name: 'jpeg',
  unit: 'inputs',
  sliceSize: 20_000,

  /** @returns why it cannot run, undefined if it can */
  async build({ isQuick }) {
    if (!canBuild(kinds.made)) return 'the compiler has no sanitizers';
    this.slice = !isQuick && canBuild(kinds.guided) ? guided() : made();
    return undefined;
  },

  describe({ kind, last, executed, edges, features, corpus: files }) {
    if (kind === 'made') return `  ${last}`;
    return `  libFuzzer: ${executed} inputs, ${edges} edges and ${features} features reached, ${files} files in the corpus`;
  },
};
