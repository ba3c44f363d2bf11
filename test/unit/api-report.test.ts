import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { entryPoints, reportApi } from '../../docs/make-api-report.mjs';
import { root } from '../support/child.js';

const entries = entryPoints as readonly string[];

it.each(entries)(
  'docs/api-report has the public API of %s (npm run docs:api-report writes it)',
  { timeout: 120_000 },
  (entry) => {
    expect(reportApi({ write: false, entries: [entry] })).toEqual([]);
  },
);

it('a change of the public API is found', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ghostnet-api-'));
  try {
    cpSync(fileURLToPath(new URL('docs/api-report', root)), folder, { recursive: true });
    const path = join(folder, 'opentelemetry.api.md');
    const report = readFileSync(path, 'utf8');
    expect(report).toContain('instrument(options?: ');
    writeFileSync(path, report.replace('instrument(options?: ', 'instrument(options: '));
    const found = reportApi({
      write: false,
      folder,
      entries: entries.filter((entry) => entry.includes('opentelemetry')),
    });
    expect(found).toEqual([expect.stringContaining('opentelemetry.api.md')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
