// npm run test:cuda: the CUDA kernels without a GPU. Ends with "N passed, N failed".
//   1. their own source on this CPU under a checker, against float64   (needs g++)
//   2. planted bugs, every one of which 1 has to catch                  (needs g++)
//   3. what nvcc and the disassembly say of them                        (needs nvcc)
// npm run test:cuda -- --only 'float32 depthwise' runs only the cases of 1 that have this in their text.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { checkCompiled } from './cuda/compiled.mjs';
import { runMutants } from './cuda/mutants.mjs';
import { buildObjects, linkRig, runRig } from './cuda/rig.mjs';

const { values: options } = parseArgs({ options: { report: { type: 'string' }, only: { type: 'string' } } });
const totals = { passed: 0, failed: 0, skipped: 0 };

async function part(name, work) {
  console.log(`\n== CUDA: ${name} ==`);
  const start = performance.now();
  try {
    const { passed, failed, skipped = 0 } = await work();
    totals.passed += passed;
    totals.failed += failed;
    totals.skipped += skipped;
  } catch (error) {
    console.error(error.message);
    totals.failed += 1;
  }
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);
}

let objects;
await part('the kernels on this CPU, under the checker', async () => {
  objects = await buildObjects();
  return runRig(await linkRig(objects), options.only);
});
if (options.only === undefined) {
  if (objects) await part('planted bugs', () => runMutants(objects));
  await part('what the compiler makes of them', checkCompiled);
}

if (options.report) {
  mkdirSync(dirname(options.report), { recursive: true });
  writeFileSync(options.report, JSON.stringify(totals));
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);
