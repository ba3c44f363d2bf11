import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LabelledFolder } from '../support/labelled.js';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let folder: LabelledFolder;
beforeAll(async () => {
  folder = await LabelledFolder.of(['blue', 'red'], 6);
}, 60_000);
afterAll(() => {
  folder[Symbol.dispose]();
});

function ghostnet(...args: string[]) {
  const env = { ...process.env, GHOSTNET_CACHE: folder.at('.cache') };
  return spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd: folder.root, env });
}

describe('ghostnet train', () => {
  it('prints a line of JSON for each penalty and one for the result, and writes model and report', () => {
    const { status, stdout, stderr } = ghostnet('train', '.', '--out', 'm.safetensors', '--report', 'r.html');
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const last = lines.pop();
    expect(lines[0]).toMatchObject({ epoch: 1, epochs: 13, l2: 10, images: 10 });
    expect(lines.map(({ epoch }) => epoch)).toEqual(lines.map((_, index) => index + 1));
    expect(last).toMatchObject({
      out: 'm.safetensors',
      classes: ['blue', 'red'],
      trainImages: 10,
      validationImages: 2,
      top1: 1,
    });
    expect(readFileSync(folder.at('r.html'), 'utf8')).toContain('Training of 2 classes');
    const classified = ghostnet('classify', '--model', 'm.safetensors', 'red/0.png', '--top-k', '1');
    expect(classified.stdout).toContain('"label":"red"');
    const info = JSON.parse(ghostnet('info', 'm.safetensors').stdout) as {
      training: Record<string, unknown>;
    };
    expect(info.training).toMatchObject({ mode: 'probe', seed: 0, trainImages: 10 });
  });

  it('tells of broken images on standard error, and trains without them or not', async () => {
    using broken = await LabelledFolder.of(['blue', 'red'], 3);
    broken.write('red/broken\u001b[31m.jpg', 'no image');
    const { status, stderr } = ghostnet('train', broken.root, '-o', 'm.safetensors', '--l2', '1');
    expect(status).toBe(0);
    // What a name contains does not act on a terminal.
    expect(stderr).toMatch(/^ghostnet: .*broken\\x1b\[31m\.jpg: .* is unknown/m);
    const refused = ghostnet('train', broken.root, '-o', 'refused.safetensors', '--broken', 'refuse');
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('[GHOSTNET_IMAGE_UNDECODABLE]');
    expect(existsSync(folder.at('refused.safetensors'))).toBe(false);
  });

  it.each<[string, string[], number, RegExp]>([
    ['no --out', ['.'], 2, /required option '-o, --out <file>'/],
    ['a folder that is missing', ['missing', '-o', 'm.safetensors'], 3, /GHOSTNET_FILE_NOT_FOUND/],
    ['a folder without classes', ['red', '-o', 'm.safetensors'], 2, /at least 2 classes/],
    ['a place that is not there', ['.', '-o', 'no/m.safetensors'], 3, /GHOSTNET_FILE_UNWRITABLE/],
    [
      'a report at a place that is not there',
      ['.', '-o', 'm.safetensors', '--report', 'no/r.html'],
      3,
      /GHOSTNET_FILE_UNWRITABLE/,
    ],
    ['a mode that there is not', ['.', '-o', 'm.safetensors', '--mode', 'all'], 2, /probe, finetune/],
    ['a share that is none', ['.', '-o', 'm.safetensors', '--val-split', '2'], 2, /from 0 to 0.9/],
    [
      'a model that is missing',
      ['.', '-o', 'm.safetensors', '--from', 'gone.safetensors'],
      3,
      /GHOSTNET_FILE_NOT_FOUND/,
    ],
  ])('ends with %s as it should', (_, args, code, text) => {
    const { status, stderr } = ghostnet('train', ...args);
    expect(stderr).toMatch(text);
    expect(status).toBe(code);
  });
});
