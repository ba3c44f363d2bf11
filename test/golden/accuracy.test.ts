import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { embeddedModel } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasBfloat16, needsBfloat16 } from '../support/processor.js';
import { hasShared, needsShared, sharedFile } from '../support/shared.js';

interface Line {
  file: string;
  classes: { label: string }[];
}

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

// As stated in models/README.md, for the same 2,000 images.
const accuracyOfTheCard = 81.05;

describe.skipIf(!hasShared)(`ghostnet classify --json of 2,000 images${needsShared}`, () => {
  let folder: string;
  let exact: ReturnType<typeof classify>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ghostnet-cifar10-'));
    execFileSync('cmake', ['-E', 'tar', 'xf', sharedFile('data/cifar10-test-2000.zip')], { cwd: folder });
    exact = classify();
  }, 120_000);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** The predicted and the true class of each image; its folder is the true class. */
  const classify = (...options: string[]) => {
    const args = [cli, 'classify', join(folder, 'cifar10-test'), '--top-k', '1', '--json', ...options];
    const output = execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 24 });
    const lines = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(lines).toHaveLength(2000);
    return lines.map(({ file, classes }) => ({ is: file.split('/').at(-2), gets: classes[0]?.label }));
  };
  const percent = (share: readonly unknown[]) => (100 * share.length) / 2000;

  it('the embedded model is as accurate as its card says', { timeout: 120_000 }, () => {
    const right = exact.filter(({ is, gets }) => is === gets);
    expect(Math.abs(percent(right) - accuracyOfTheCard)).toBeLessThanOrEqual(0.3);
  });

  it.each([
    ['float16', 100],
    ['bfloat16', 99.8],
  ])(
    'saved in %s, it gives at least %d of 100 images the same class',
    { timeout: 120_000 },
    (dtype, least) => {
      const path = join(folder, `${dtype}.safetensors`);
      execFileSync(process.execPath, [cli, 'convert', fileURLToPath(embeddedModel), path, '--dtype', dtype]);
      const found = classify('--model', path);
      const same = found.filter(({ gets }, index) => gets === exact[index]?.gets);
      expect(percent(same)).toBeGreaterThanOrEqual(least);
      const [right, exactRight] = [found, exact].map((all) =>
        percent(all.filter(({ is, gets }) => is === gets)),
      );
      expect(Math.abs((right ?? NaN) - (exactRight ?? NaN))).toBeLessThanOrEqual(0.1);
    },
  );

  it.skipIf(!hasBfloat16)(
    `in bfloat16 99 % of the images get the same class${needsBfloat16}`,
    { timeout: 120_000 },
    () => {
      const same = classify('--precision', 'bfloat16').filter(
        ({ gets }, index) => gets === exact[index]?.gets,
      );
      expect(percent(same)).toBeGreaterThanOrEqual(99);
    },
  );
});
