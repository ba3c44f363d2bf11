import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { GhostNet } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { root } from '../support/child.js';
import { examplesOf, runExample, writeExamples } from '../support/examples.js';
import { colours, speckled } from '../support/labelled.js';

const page = 'docs/training.md';

let folder: string;
let cache: string | undefined;
beforeAll(async () => {
  mkdirSync(new URL('build', root), { recursive: true });
  folder = mkdtempSync(fileURLToPath(new URL('build/training-', root)));
  cache = process.env.GHOSTNET_CACHE;
  process.env.GHOSTNET_CACHE = join(folder, 'cache');
  writeExamples(page, folder);
  const rows: { label: string; content: string }[] = [];
  for (const [number, label] of ['blue', 'red'].entries()) {
    mkdirSync(join(folder, 'photos', label), { recursive: true });
    for (let index = 0; index < 5; ++index) {
      const picture = await speckled(colours[label] ?? [], 10 * number + index);
      writeFileSync(join(folder, 'photos', label, `${index}.png`), picture);
      rows.push({ label, content: picture.toString('base64') });
    }
  }
  writeFileSync(join(folder, 'new.jpg'), await speckled(colours.red ?? [], 99));
  writeFileSync(join(folder, 'rows.json'), JSON.stringify(rows));
}, 60_000);
afterAll(() => {
  if (cache === undefined) delete process.env.GHOSTNET_CACHE;
  else process.env.GHOSTNET_CACHE = cache;
  rmSync(folder, { recursive: true });
});

describe('the programs of docs/training.md', () => {
  it('are two', () => {
    expect([...examplesOf(page).keys()]).toEqual(['folder.mjs', 'labelled.mjs']);
  });

  it('folder.mjs trains, saves and classifies', async () => {
    const { code, stdout, stderr } = await runExample(folder, 'folder.mjs');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe('100.0 % of 2 images right\nred\n');
    using model = await GhostNet.load(join(folder, 'pets.safetensors'));
    expect(model.info.labels).toEqual(['blue', 'red']);
  });

  it('labelled.mjs trains with images from elsewhere', async () => {
    const { code, stdout, stderr } = await runExample(folder, 'labelled.mjs');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe('blue 1 1\nred 1 1\n');
    expect(existsSync(join(folder, 'rows.safetensors'))).toBe(true);
  });
});

describe('docs/training.md', () => {
  it('names only options that there are', () => {
    const text = readFileSync(new URL(page, root), 'utf8');
    const commands = readFileSync(new URL('docs/cli.md', root), 'utf8');
    for (const [option] of text.matchAll(/--[a-z][a-z0-9-]+/g)) expect(commands).toContain(`\`${option}`);
  });
});
