// The parsers in TypeScript, with inputs that are sound ones changed: test/fuzz/parsers/, bundled into build/fuzz/parsers.mjs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { build } from 'esbuild';

const folder = join('build', 'fuzz');
const program = join(folder, 'parsers.mjs');
const current = join(folder, 'parsers-current');
const failure = join(folder, 'parsers-failure');

/** What code of `lib/` finds in a module of CommonJS. */
const place = JSON.stringify(resolve('lib', 'index.js'));
const banner = `import { createRequire as requireOf } from 'node:module';
const require = requireOf(${place}), __filename = ${place}, __dirname = ${JSON.stringify(resolve('lib'))};`;

/** A process that takes more has a parser that takes too much. */
const heap = ['--max-old-space-size=256', '--max-semi-space-size=16'];
/** Of a slice, per case; the usual is a hundredth of it. */
const mostMsOfCase = 20;

/** A slice whose inputs all end alike shows that the mutations do not reach deep. */
const leastCasesToJudge = 5_000;
const leastShare = 0.01;

function start(settings, options = {}) {
  const args = [...heap, '--enable-source-maps', program, JSON.stringify(settings)];
  return spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
}

/** Adds what a slice met to what others did. */
function merge(met, { outcomes, slowest, largest }) {
  for (const [target, counts] of Object.entries(outcomes)) {
    const all = (met.outcomes[target] ??= {});
    for (const [outcome, count] of Object.entries(counts)) all[outcome] = (all[outcome] ?? 0) + count;
  }
  met.slowest = Math.max(met.slowest, slowest);
  met.largest = Math.max(met.largest, largest);
  return met;
}

/** The targets whose inputs all pass, or of whose inputs hardly any does. */
function shallow({ outcomes }) {
  return Object.entries(outcomes).flatMap(([target, counts]) => {
    const cases = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const share = (counts.read ?? 0) / cases;
    if (cases < leastCasesToJudge || target === 'other files' || share > leastShare) return [];
    return [`${target}: only ${(100 * share).toFixed(1)} % of the inputs are read`];
  });
}

export const parsers = {
  name: 'parsers',
  unit: 'cases',
  sliceSize: 100_000,

  async build() {
    mkdirSync(folder, { recursive: true });
    await build({
      entryPoints: [join('test', 'fuzz', 'parsers', 'main.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      sourcemap: 'inline',
      // The package is CommonJS, and has its files beside its code.
      banner: { js: banner },
      logLevel: 'warning',
    });
    return undefined;
  },

  /** @returns what the slice met. @throws {Error} with the command that repeats the failure */
  slice(seed, from, to, met = { outcomes: {}, slowest: 0, largest: 0 }) {
    const settings = { seed, from, to, current, failure };
    const timeout = 60_000 + (to - from) * mostMsOfCase;
    const { status, signal, error, stdout } = start(settings, { timeout, killSignal: 'SIGKILL' });
    if (status === 0) {
      const merged = merge(met, JSON.parse(stdout));
      const faults = shallow(merged);
      if (faults.length > 0) throw new Error(faults.join('\n'));
      return merged;
    }
    const index = Number(readFileSync(current, 'utf8'));
    // The process could not write the input if it ran out of memory, or never came back.
    if (status !== 1) start({ ...settings, from: index, keep: true });
    throw new Error(
      `Case ${index} of seed ${seed} ended the process with ${error?.code ?? signal ?? status}; its input is ${failure}.\n` +
        `npm run test:fuzz -- --only parsers --seed ${seed} --case ${index} repeats it.`,
    );
  },

  describe({ outcomes, slowest, largest }) {
    const lines = Object.entries(outcomes).map(([target, counts]) => {
      const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
      return `  ${target}: ${sorted.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`;
    });
    const most = `at most ${slowest.toFixed(0)} ms and ${(largest / 1e6).toFixed(1)} MB each`;
    return [...lines, `  ${most}`].join('\n');
  },
};
