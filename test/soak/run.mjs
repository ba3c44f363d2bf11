// npm run test:soak: one process that works without a pause for an hour, with images in many sizes and formats, aborts, timeouts, models
// and pipelines that come and go. Between six blocks of time it is measured. Ends with "N passed, N failed".
//   --minutes 60   how long
//   --seed 1       of the random choices
//   --quick        two minutes, as in npm test
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { finish } from '../support/finish.mjs';

import { judge } from './judge.mjs';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    report: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const blocks = 6;
// Growth in bytes, and the share by which the processor's time for an image may change. Over two minutes, the allocator's free memory
// and the machine's own speed still change more than what is looked for: the quick form finds large faults, and the long one small ones.
const limits = options.quick
  ? { live: 1e6, resident: 24e6, speed: 0.15 }
  : { live: 1e6, resident: 16e6, speed: 0.05 };
const minutes = options.quick ? 2 : Number(options.minutes);
/** Rounds and images of each measurement of the speed, and the seconds for them and for the rest beside the work. */
const measuring = options.quick
  ? { rounds: 3, images: 60, seconds: 7 }
  : { rounds: 9, images: 120, seconds: 25 };
const warmUp = Math.min(60, 60 * minutes * 0.08);

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const start = performance.now();
const folders = ['pictures', 'scratch'].map((name) => mkdtempSync(join(tmpdir(), `ghostnet-soak-${name}-`)));
const [folder, scratch] = folders;

/** Runs the process. @returns what it measured after each block */
async function measure() {
  const settings = {
    folder,
    scratch,
    seconds: (60 * minutes - warmUp) / blocks - measuring.seconds,
    warmUp,
    blocks,
    seed: Number(options.seed),
    rounds: measuring.rounds,
    images: measuring.images,
  };
  // A small young generation, so that V8's own growth is not mistaken for a leak.
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  // As docs/pipelines.md advises for services. Each thread of sharp would bring an arena of its own, whose free end glibc keeps: resident
  // memory would follow from how the threads happened to share the images.
  const env = { MALLOC_ARENA_MAX: '2', ...process.env };
  const child = spawn(process.execPath, [...flags, script('process.mjs'), JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
  const samples = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const sample = JSON.parse(line);
    if (sample.block === undefined) {
      console.log(`  ${sample.pictures} pictures`);
      continue;
    }
    samples.push(sample);
    console.log(`  ${describe(sample)}`);
  }
  const end = await ended;
  if (end !== 0) throw new Error(`The process ended with ${end}`);
  return samples;
}

function describe({
  block,
  worked,
  perSecond,
  malloc,
  heap,
  external,
  rss,
  peak,
  threads,
  descriptors,
  speed,
}) {
  const mb = (bytes) => (bytes === undefined ? 'unknown' : `${(bytes / 1e6).toFixed(2)} MB`);
  return (
    `block ${block}: ${worked.toFixed(0)} s, ${perSecond.toFixed(0)} images/s in the shared pipeline; malloc ${mb(malloc)}, ` +
    `heap ${mb(heap)}, external ${mb(external)}, resident ${mb(rss)} (peak ${mb(peak)}), ${threads.length} threads, ` +
    `${descriptors.length} descriptors, ${speed.milliseconds.toFixed(2)} ms of the processor an image`
  );
}

const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };
try {
  execFileSync(process.execPath, [script('pictures.mjs'), folder], { stdio: 'inherit' });
  const samples = await measure();
  console.log(`  ${JSON.stringify(samples.at(-1).counts)}`);
  for (const { name, problem, skipped } of judge(samples, { blocks, ...limits })) {
    totals[skipped ? 'skipped' : problem === undefined ? 'passed' : 'failed'] += 1;
    if (!skipped && problem !== undefined) totals.failures.push(`${name}: ${problem}`);
    console.log(`  ${skipped ? 'skipped' : problem === undefined ? 'ok     ' : 'FAILED '} ${name}`);
    if (problem ?? skipped) console.log(`          ${problem ?? skipped}`);
  }
} catch (error) {
  totals.failed += 1;
  totals.failures.push(error.message);
  console.error(error.message);
} finally {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
}

finish(totals, { report: options.report, start });
