// npm run test:train: trainings of labelled pictures, against scikit-learn and PyTorch, and under kill -9. Ends with "N passed, N failed".
//   --quick      a seed in place of three, as in npm test, which does not install scikit-learn
//   --only text  the checks with this text in their names
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { finish } from '../support/finish.mjs';

import { packages } from './environment.mjs';
import { finetuneChecks } from './finetune-checks.mjs';
import { checks as probeChecks } from './probe-checks.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    report: { type: 'string' },
  },
});
const isQuick = options.quick;
const all = [...probeChecks, ...finetuneChecks];
const chosen = all.filter(({ name, isLong }) => name.includes(options.only) && !(isQuick && isLong === true));

const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };
const skippedNames = [];
const start = performance.now();
const problem = isQuick ? undefined : packages.install();
if (problem !== undefined) console.error(problem);
const folder = mkdtempSync(join(tmpdir(), 'ghostnet-train-suite-'));
try {
  for (const { name, check, obstacle } of chosen) {
    const reason = obstacle?.();
    if (reason !== undefined) {
      totals.skipped += 1;
      skippedNames.push(`${name}: ${reason}`);
      continue;
    }
    const begin = performance.now();
    const seconds = () => `${((performance.now() - begin) / 1000).toFixed(0)} s`;
    try {
      const text = await check({ folder, isQuick });
      totals.passed += 1;
      console.log(`  ok      ${name} (${seconds()})\n          ${text}`);
    } catch (error) {
      totals.failed += 1;
      totals.failures.push(`${name}: ${error.message}`);
      console.log(`  FAILED  ${name} (${seconds()})\n          ${error.stack}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (skippedNames.length > 0) console.log(`\nSkipped:\n${skippedNames.map((name) => `  ${name}`).join('\n')}`);
finish(totals, { report: options.report, start, mayBeSkipped: true });
