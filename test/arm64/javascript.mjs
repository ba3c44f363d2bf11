import { readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { root } from '../../packaging/project.mjs';
import { environment } from './emulation.mjs';
import { leftOut } from './left-out.mjs';
import { modules } from './modules.mjs';

/**
 * Runs files of the JavaScript suite with Node for ARM, over the addon of a build tree. vitest, too, runs on ARM.
 *
 * @param {string} node
 * @param {string} build
 * @param {string[]} filters - of vitest: texts in the paths of files
 * @returns how many passed, failed and were skipped
 */
export function runJavaScript(node, build, filters) {
  const report = join(build, 'vitest.json');
  rmSync(report, { force: true });
  const args = [
    'run',
    '--no-typecheck',
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
    // Emulated code is slow.
    '--testTimeout=600000',
    '--hookTimeout=600000',
    '--teardownTimeout=60000',
    ...leftOut.map(({ file }) => `--exclude=${file}`),
    ...filters,
  ];
  const env = environment({
    NODE_PATH: modules,
    GHOSTNET_BINARY: join(build, 'Release', 'ghostnet.node'),
  });
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const { status, signal } = spawnSync(node, [vitest, ...args], { cwd: root, stdio: 'inherit', env });
  let counts;
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    throw new Error(`vitest ended with ${signal ?? status}, without a report`);
  }
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = counts;
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed, skipped };
}
