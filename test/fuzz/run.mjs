// npm run test:fuzz: mutated inputs for the parsers in TypeScript, and damaged files for the JPEG decoder under sanitizers. Ends with
// "N passed, N failed".
//   --cases 5000000 --inputs 1000000   how many, of the parsers and of the JPEG decoder
//   --slices 10                        at most so many slices of each, and go on with the next one another time
//   --fresh                            begin again instead of going on
//   --only parsers                     or jpeg
//   --quick                            20,000 and 5,000, as in npm test, without slices
//   --seed S --case I                  one case of the parsers again
//   --input <file> --target <name>     an input of the parsers as it is
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { finish } from '../support/finish.mjs';

import { jpeg } from './jpeg-slices.mjs';
import { parsers } from './parsers.mjs';
import { Progress } from './progress.mjs';

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '5000000' },
    inputs: { type: 'string', default: '1000000' },
    slices: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '20200326' },
    only: { type: 'string' },
    case: { type: 'string' },
    input: { type: 'string' },
    target: { type: 'string' },
    report: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const seed = Number(options.seed);
const progress = new Progress(join('build', 'fuzz', 'progress.json'));
const start = performance.now();
const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };

const secondsSince = (start) => (performance.now() - start) / 1000;

/** Runs what is left of a harness, slice by slice. */
async function runSlices(harness, total) {
  const isKept = !options.quick;
  let state =
    isKept && !options.fresh ? progress.of(harness.name, seed) : { seed, done: 0, slices: 0, seconds: 0 };
  if (state.done > 0) console.log(`  goes on after ${state.done} ${harness.unit} in ${state.slices} slices`);
  for (let left = Number(options.slices); left > 0 && state.done < total; left -= 1) {
    const start = performance.now();
    const to = Math.min(state.done + harness.sliceSize, total);
    const met = harness.slice(seed, state.done, to, state.met);
    state = {
      seed,
      done: to,
      slices: state.slices + 1,
      seconds: state.seconds + secondsSince(start),
      met,
    };
    if (isKept) {
      progress.keep(harness.name, state);
      console.log(`  ${to} of ${total} ${harness.unit} (${secondsSince(start).toFixed(0)} s for this slice)`);
    }
  }
  return state;
}

async function fuzz(harness, total) {
  if (!harness.name.includes(options.only ?? '')) return;
  console.log(`\nFuzzing: ${harness.name}`);
  try {
    const obstacle = await harness.build({ isQuick: options.quick });
    if (obstacle !== undefined) {
      totals.skipped += 1;
      console.log(`Skipped:\n  ${harness.name}: ${obstacle}`);
      return;
    }
    const { done, seconds, met } = await runSlices(harness, total);
    console.log(`  ${done} ${harness.unit} of seed ${seed} in ${seconds.toFixed(0)} s`);
    if (met !== undefined) console.log(harness.describe(met));
    totals.passed += 1;
  } catch (error) {
    totals.failed += 1;
    totals.failures.push(`${harness.name}: ${error.message}`);
    console.error(error.message);
  }
}

/** Tries one input of the parsers again. */
async function repeat() {
  await parsers.build({});
  const index = Number(options.case);
  const folder = join('build', 'fuzz');
  const settings =
    options.input === undefined
      ? {
          seed,
          from: index,
          to: index + 1,
          current: join(folder, 'parsers-current'),
          failure: join(folder, 'parsers-failure'),
        }
      : { input: options.input, target: options.target };
  const args = ['--enable-source-maps', join(folder, 'parsers.mjs'), JSON.stringify(settings)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  process.exit(status ?? 1);
}

if (options.case !== undefined || options.input !== undefined) await repeat();
await fuzz(parsers, options.quick ? 20_000 : Number(options.cases));
await fuzz(jpeg, options.quick ? 5_000 : Number(options.inputs));
finish(totals, { report: options.report, start, mayBeSkipped: true });
