import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { root, runScript, runScriptForJson } from '../support/child.js';

// However a process is ended, it ends properly: no crash, no hang.
describe.concurrent('a process that ends in the middle of a run', { timeout: 60_000 }, () => {
  const times = 3; // catches a race that is lost only sometimes
  it.each([
    ['process.exit()', 'exit', 7],
    ['an uncaught throw', 'throw', 1],
    ['process.exit() in a handler of SIGTERM', 'abort-handler', 9],
  ])('%s', async (_, how, expected) => {
    for (let i = 0; i < times; ++i) {
      const { code, stderr } = await runScript('lifecycle/exit.mjs', { args: [how] });
      expect(code, stderr).toBe(expected);
    }
  });

  it('process.exit() while only a worker thread has loaded the package', async () => {
    for (let i = 0; i < times; ++i) {
      const { code, stderr } = await runScript('lifecycle/exit-worker.mjs');
      expect(code, stderr).toBe(8);
    }
  });

  it('SIGTERM under load', async () => {
    const script = fileURLToPath(new URL('../support/lifecycle/exit.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, 'wait'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        resolve(signal ?? code);
      }),
    );
    child.stdout.once('data', () => child.kill('SIGTERM'));
    expect(await ended).toBe('SIGTERM');
  });

  it('nothing more to do: it ends by itself when the last promise has settled', async () => {
    const { code, stdout } = await runScript('lifecycle/exit.mjs', { args: ['wait'] });
    expect(stdout).toBe('running\n');
    expect(code).toBe(0);
  });
});

describe('worker threads', { timeout: 60_000 }, () => {
  it('twenty load, run and exit, and all give the same logits', async () => {
    const results = await runScriptForJson<number[][]>('lifecycle/workers.mjs');
    expect(results).toHaveLength(20);
    for (const logits of results) expect(logits).toEqual(results[0]);
  });

  it('one that is terminated in the middle of its runs leaves the others as they were', async () => {
    expect(await runScriptForJson('lifecycle/terminate.mjs')).toEqual({ same: true });
  });
});

describe('a model that is disposed of while jobs wait', () => {
  it('lets those jobs succeed and rejects later ones', async () => {
    expect(await runScriptForJson('lifecycle/dispose-waiting.mjs')).toEqual({
      later: 'GHOSTNET_DISPOSED',
      ended: 8,
      shape: [2, 1000],
    });
  });
});

interface Measure {
  rss: number; // MiB
  threads: number;
  handles: number;
}

describe('memory', { timeout: 120_000 }, () => {
  it('stays flat over 500 rounds of load, forward and dispose, as do threads and handles', async () => {
    const { settled, end } = await runScriptForJson<{ settled: Measure; end: Measure }>(
      'lifecycle/load-dispose.mjs',
      // A small young generation, so that V8's own growth is not mistaken for a leak.
      { args: ['500'], flags: ['--max-semi-space-size=1'] },
    );
    expect(end.threads).toBe(settled.threads);
    expect(end.handles).toBe(settled.handles);
    // The weights are 5 MiB, so a leak of one model in a hundred would show.
    expect(end.rss - settled.rss).toBeLessThan(20);
  });

  it('stays flat over 10,000 batches of changing sizes', async () => {
    const { settled, end } = await runScriptForJson<{ settled: number; end: number }>(
      'lifecycle/changing-sizes.mjs',
      { args: ['10000'], flags: ['--max-semi-space-size=1'], timeout: 120_000 },
    );
    expect(end - settled).toBeLessThan(20);
  });

  it('of models and tensors that nobody disposes of goes with their collection', async () => {
    const { before, after } = await runScriptForJson<{ before: number; after: number }>(
      'lifecycle/collect.mjs',
      {
        flags: ['--expose-gc'],
      },
    );
    // Twenty-four models of 20 MiB were made and freed; allocators keep some of the freed memory.
    expect(after - before).toBeLessThan(200);
  });

  it('of models that nobody disposes of is taken into account by the garbage collector', async () => {
    const { highest } = await runScriptForJson<{ highest: number }>('lifecycle/pressure.mjs');
    expect(highest).toBeLessThan(700); // 60 models of 20 MiB would be 1200 above the process itself
  });
});

describe('AsyncLocalStorage', () => {
  it('keeps its context through every promise', async () => {
    const seen = await runScriptForJson<Record<string, boolean[]>>('lifecycle/async-context.mjs');
    expect(Object.keys(seen)).toHaveLength(11);
    for (const [name, kept] of Object.entries(seen)) expect([name, kept]).toEqual([name, [true, true, true]]);
  });
});

describe('two copies of the package in one process', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ghostnet-copies-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['the same version', 'another version'])('of %s run side by side', async (which) => {
    const copy = join(folder, which.replaceAll(' ', '-'));
    mkdirSync(join(copy, 'build'), { recursive: true });
    for (const part of ['dist', 'models', 'build/Release']) {
      cpSync(new URL(part, root), join(copy, part), { recursive: true });
    }
    symlinkSync(fileURLToPath(new URL('node_modules', root)), join(copy, 'node_modules'));
    const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Record<
      string,
      unknown
    >;
    if (which === 'another version') manifest.version = '99.0.0';
    writeFileSync(join(copy, 'package.json'), JSON.stringify(manifest));
    const other = pathToFileURL(join(copy, 'dist', 'index.js')).href;
    expect(await runScriptForJson('lifecycle/two-copies.mjs', { args: [other] })).toEqual({
      distinct: true,
      same: true,
      // A tensor of one copy is not a tensor of the other.
      foreign: [true, 'GHOSTNET_INVALID_ARGUMENT'],
    });
  });
});
