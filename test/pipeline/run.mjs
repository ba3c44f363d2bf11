// npm run test:pipeline: what the pipeline promises about speed, memory, waiting and aborts, measured in processes of their own, which
// takes half an hour. Ends with "N passed, N failed".
// --quick, as in npm test: fewer images. --only=abort: the checks with this text in their names.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { finish } from '../support/finish.mjs';

import { checksOf } from './checks.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    report: { type: 'string' },
  },
});
const { quick, only = '' } = options;
const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };
const mostAttempts = 3;

const secondsSince = (start) => `${((performance.now() - start) / 1000).toFixed(0)} s`;

async function run({ name, isTimed, run }) {
  for (let attempt = 1; ; ++attempt) {
    const start = performance.now();
    const { figures, problems } = await run().catch((error) => ({ figures: '', problems: [error.message] }));
    const isOver = problems.length === 0 || isTimed !== true || attempt === mostAttempts;
    const outcome = problems.length === 0 ? 'ok     ' : isOver ? 'FAILED ' : 'again  ';
    console.log(`  ${outcome} ${name} (${secondsSince(start)})`);
    if (figures !== '') console.log(`          ${figures}`);
    for (const problem of problems) console.log(`          ${problem}`);
    if (!isOver) continue;
    totals[problems.length === 0 ? 'passed' : 'failed'] += 1;
    if (problems.length > 0) totals.failures.push(`${name}: ${problems.join('; ')}`);
    return;
  }
}

/** The labelled pictures, if they are there. */
function unpackPictures(folder) {
  const zip = fileURLToPath(new URL('../../../shared/data/cifar10-test-2000.zip', import.meta.url));
  if (!existsSync(zip)) return undefined;
  execFileSync('cmake', ['-E', 'tar', 'xf', zip], { cwd: folder });
  return join(folder, 'cifar10-test');
}

const start = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'ghostnet-photos-'));
try {
  const script = fileURLToPath(new URL('photos.mjs', import.meta.url));
  execFileSync(process.execPath, [script, folder], { stdio: 'inherit' });
  console.log(`  photos made (${secondsSince(start)})`);
  const pictures = unpackPictures(folder);
  for (const check of checksOf(folder, pictures, quick)) if (check.name.includes(only)) await run(check);
  if (pictures === undefined) {
    totals.skipped += 1;
    console.log("\nSkipped:\n  decode: 'fast' of labelled pictures (skipped: needs ../shared)");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

finish(totals, { report: options.report, start });
