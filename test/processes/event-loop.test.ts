import { describe, expect, it } from 'vitest';

import { runScriptForJson } from '../support/child.js';

interface Measured {
  readonly idle: { readonly p99: number; readonly count: number };
  readonly busy: { readonly p99: number; readonly count: number };
  readonly batch: number;
  readonly reads: number;
  readonly read: number;
}

describe('the event loop', () => {
  it('is not held up by inference, and neither are reads of files', async () => {
    const { idle, busy, batch, reads, read } = await runScriptForJson<Measured>('event-loop.mjs');
    expect(idle.count).toBeGreaterThan(100);
    expect(busy.count).toBeGreaterThan(100);
    expect(busy.p99 - idle.p99).toBeLessThan(10);
    // Reads queued behind inference would take as long as one or more batches.
    expect(reads).toBeGreaterThan(10);
    expect(read).toBeLessThan(10);
    expect(batch).toBeGreaterThan(4 * read);
  });
});
