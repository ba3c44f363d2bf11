import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Ends the process of a suite: with its report for `npm test`, its last line, and its exit code.
 *
 * @param {{ passed: number, failed: number, skipped: number, failures?: string[] }} totals - `failures` says what failed, and how
 * @param {{ report?: string, start: number, mayBeSkipped?: boolean }} options - `report` is a file; `start` a time of performance.now();
 * `mayBeSkipped` says that a suite of which nothing ran has not failed
 */
export function finish(totals, { report, start, mayBeSkipped = false }) {
  const { passed, failed, skipped } = totals;
  if (report !== undefined) {
    mkdirSync(dirname(report), { recursive: true });
    writeFileSync(report, JSON.stringify(totals));
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const aside = skipped > 0 ? `, ${skipped} skipped` : '';
  console.log(`\n${passed} passed, ${failed} failed${aside} in ${seconds} s`);
  const isNothing = passed === 0 && !(mayBeSkipped && skipped > 0);
  process.exit(failed > 0 || isNothing ? 1 : 0);
}
