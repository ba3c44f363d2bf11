import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { leftOut } from './left-out.mjs';
import { address } from './trees.mjs';

/** A library of the compiler, which node has to open before all others. */
function libraryOf(name) {
  const [compiler] = (process.env.CXX ?? 'c++').split(' ');
  return spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
}

/** Runs the JavaScript suite over the addon of the tree `address`. @returns how many passed, failed and were left out */
export function runJavaScript(only = []) {
  address.build('ghostnet', 'ghostnet_loader', 'ghostnet_copy');
  const report = join(address.folder, 'vitest.json');
  rmSync(report, { force: true });
  const files = leftOut.filter(({ test }) => test === undefined).map(({ file }) => file);
  const names = leftOut.filter(({ test }) => test !== undefined).map(({ test }) => test);
  const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const args = [
    'run',
    '--no-typecheck',
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
    // Checked code is slow.
    '--testTimeout=300000',
    '--hookTimeout=300000',
    '--maxWorkers=1',
    ...files.map((file) => `--exclude=${file}`),
    ...(escaped.length > 0 ? ['-t', `^(?!.*(${escaped.join('|')}))`] : []),
    ...only,
  ];
  const env = {
    ...process.env,
    ...address.environment(),
    LD_PRELOAD: [libraryOf('libasan.so'), libraryOf('libstdc++.so.6')].join(' '),
    GHOSTNET_BINARY: join(process.cwd(), address.folder, 'Release', 'ghostnet.node'),
  };
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const { status, signal } = spawnSync(process.execPath, [vitest, ...args], { stdio: 'inherit', env });
  const findings = address.findings();
  for (const finding of findings) console.error(finding);
  let counts;
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    throw new Error(`vitest ended with ${signal ?? status}, without a report`);
  }
  console.log('\nLeft out:');
  for (const { file, test, reason } of leftOut)
    console.log(`  ${file}${test ? `: ${test}` : ''} (${reason})`);
  const failed = counts.numFailedTests + findings.length;
  return {
    passed: counts.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: counts.numPendingTests,
  };
}
