// npm run test:sanitize: the tests under sanitizers. Ends with "N passed, N failed".
//   --only thread      the parts with this text in their names
//   --list             the names of the parts
//   further arguments  for vitest: some test files instead of all
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { runJavaScript } from './javascript.mjs';
import { runNative } from './native.mjs';
import { address, thread } from './trees.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});
const parts = {
  'address: the engines, their threads and the JPEG decoder (C++)': () =>
    runNative(address, 'ghostnet_engine_tests'),
  'address: networks with LibTorch (C++)': () => runNative(address, 'ghostnet_tests'),
  'address: the package over its addon (JavaScript)': () => runJavaScript(positionals),
  'thread: the engines, their threads and the JPEG decoder (C++)': () =>
    runNative(thread, 'ghostnet_engine_tests'),
};
const totals = { passed: 0, failed: 0, skipped: 0 };

for (const [name, work] of Object.entries(parts)) {
  if (options.list) console.log(name);
  if (options.list || !name.includes(options.only)) continue;
  console.log(`\n== ${name} ==`);
  const start = performance.now();
  let counts;
  try {
    counts = work();
  } catch (error) {
    console.error(error.message);
    counts = { passed: 0, failed: 1, skipped: 0 };
  }
  const { passed, failed, skipped } = counts;
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`);
}

if (options.report) {
  mkdirSync(dirname(options.report), { recursive: true });
  writeFileSync(options.report, JSON.stringify(totals));
}
if (options.list) process.exit(0);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);
