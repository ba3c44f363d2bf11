import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { emulate } from './emulation.mjs';

/**
 * Runs a program of C++ tests under qemu.
 *
 * @param {string} build - its build tree
 * @param {string} program
 * @param {{ filter?: string, env?: Record<string, string> }} [options] - filter: of GoogleTest
 * @returns how many passed, failed and were skipped
 */
export function runNative(build, program, { filter = '*', env } = {}) {
  const report = join(build, `${program}.json`);
  rmSync(report, { force: true });
  const args = ['--gtest_brief=1', `--gtest_filter=${filter}`, `--gtest_output=json:${report}`];
  const { status, signal } = emulate(join(build, 'native', 'test', program), args, { env });
  let counts;
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    throw new Error(`${program} ended with ${signal ?? status}, without a report`);
  }
  const { tests, failures, errors, disabled, testsuites } = counts;
  const results = testsuites.flatMap(({ testsuite }) => testsuite);
  const skipped = results.filter(({ result }) => result === 'SKIPPED');
  for (const { classname, name, skipped: reasons } of skipped)
    console.log(`  skipped ${classname}.${name}: ${reasons?.[0]?.message ?? ''}`);
  const failed = failures + errors;
  return {
    passed: tests - failed - disabled - skipped.length,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: disabled + skipped.length,
  };
}
