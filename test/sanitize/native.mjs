import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Builds and runs a program of C++ tests. @returns how many passed, failed and were skipped */
export function runNative(tree, program, filter = '*') {
  tree.build(program);
  const report = join(tree.folder, `${program}.json`);
  rmSync(report, { force: true });
  const path = join(tree.folder, 'native', 'test', program);
  const args = ['--gtest_brief=1', `--gtest_filter=${filter}`, `--gtest_output=json:${report}`];
  const { status, signal } = spawnSync(path, args, {
    stdio: 'inherit',
    env: { ...process.env, ...tree.environment() },
  });
  const findings = tree.findings();
  for (const finding of findings) console.error(finding);
  let counts;
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    throw new Error(`${program} ended with ${signal ?? status}, without a report`);
  }
  const { tests, failures, errors, disabled, testsuites } = counts;
  const results = testsuites.flatMap(({ testsuite }) => testsuite);
  const skipped = disabled + results.filter(({ result }) => result === 'SKIPPED').length;
  const failed = failures + errors + findings.length;
  return {
    passed: tests - failures - errors - skipped,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped,
  };
}
