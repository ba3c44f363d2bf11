import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { runScript, runScriptForJson } from '../support/child.js';

describe('a process', () => {
  it.each([
    ['with an idle model ends by itself', 'idle'],
    ['waits for a call that nobody awaits', 'pending'],
    ['exits right after a run', 'exit'],
  ])('%s', async (_, way) => {
    const ended = await runScript('leave.mjs', { args: [way] });
    expect(ended).toEqual({ code: 0, stdout: '1,10\n', stderr: '' });
  });
});

describe('a process in a folder that was removed', () => {
  it('can load a model elsewhere, and gets an error for each relative path', async () => {
    const missing = 'GHOSTNET_FILE_NOT_FOUND';
    const noCache = 'GHOSTNET_CACHE_UNWRITABLE';
    expect(await runScriptForJson('removed-folder.mjs')).toEqual({
      'load first': 'GHOSTNET_ADDON_UNLOADABLE',
      load: missing,
      'load pulled weights': noCache,
      'load the embedded model': 'ok',
      inspectWeights: missing,
      classify: missing,
      'classify with sharp': missing,
      save: 'GHOSTNET_FILE_UNWRITABLE',
      'save in a folder': 'GHOSTNET_FILE_UNWRITABLE',
      list: missing,
      'list a glob': missing,
      'list a folder': missing,
      'list a list': missing,
      cacheFolder: noCache,
      pullWeights: noCache,
      'pullWeights with cacheDir': noCache,
      'cacheFolder of others': noCache,
    });
  });
});

describe('CommonJS', () => {
  it('gets the package with require, without a warning', async () => {
    expect(await runScript('commonjs.cjs')).toEqual({ code: 0, stdout: '[1,10]\n', stderr: '' });
  });
});

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('the default number of threads', () => {
  const canPin = hasTaskset();
  it.skipIf(!canPin)(`is that of the affinity mask${canPin ? '' : ' (skipped: needs taskset)'}`, async () => {
    const under = ['taskset', '-c', '0'];
    expect(await runScriptForJson<number>('default-threads.mjs', { under })).toBe(1);
  });
});

describe('two copies of the JavaScript side over one native binary', () => {
  interface Report {
    readonly equal: boolean;
    readonly own: readonly boolean[];
    readonly codes: readonly string[];
  }
  let report: Report;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ghostnet-copies-'));
    try {
      report = await runScriptForJson<Report>('shared-binary.mjs', { args: [folder] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('do not mix up their calls', () => {
    expect(report.equal).toBe(true);
    expect(report.codes).toEqual(['GHOSTNET_BAD_SHAPE', 'GHOSTNET_BAD_SHAPE']);
  });

  it('throw errors that both know', () => {
    expect(report.own).toEqual([true, true]);
  });
});
