import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { hasShared, needsShared, sharedFile } from '../support/shared.js';

interface Line {
  file: string;
  classes: { label: string }[];
}

// models/README.md states it, for the same 2,000 images.
const accuracyOfTheCard = 81.05;

it.skipIf(!hasShared)(
  `ghostnet classify --json: the embedded model is as accurate as its card says${needsShared}`,
  { timeout: 120_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'ghostnet-cifar10-'));
    try {
      execFileSync('cmake', ['-E', 'tar', 'xf', sharedFile('data/cifar10-test-2000.zip')], { cwd: folder });
      const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
      const output = execFileSync(process.execPath, [cli, 'classify', folder, '--top-k', '1', '--json'], {
        encoding: 'utf8',
        maxBuffer: 1 << 24,
      });
      const lines = output
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
      expect(lines).toHaveLength(2000);
      // The folder of an image is its class.
      const right = lines.filter(({ file, classes }) => file.split('/').at(-2) === classes[0]?.label);
      expect(Math.abs((100 * right.length) / lines.length - accuracyOfTheCard)).toBeLessThanOrEqual(0.3);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
