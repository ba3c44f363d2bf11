import { describe, expect, it } from 'vitest';

import { blocksOf } from '../deploy/page.mjs';

describe('docs/deploying.md', () => {
  it.each(['Next.js', 'Docker', 'Lambda', 'Jest'])('%s: at most ten lines', (section) => {
    const lines = blocksOf(section).flatMap(({ code, file }) =>
      // The name of a file is no line of it.
      code
        .trim()
        .split('\n')
        .slice(file === undefined ? 0 : 1),
    );
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines[0]).toBe('npm install ghostnet');
  });
});
