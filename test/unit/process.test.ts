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
  it('gets an error, and can load a model elsewhere', async () => {
    expect(await runScript('removed-folder.mjs')).toEqual({
      code: 0,
      stdout: 'GHOSTNET_ADDON_UNLOADABLE\nghostnet_050\n',
      stderr: '',
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
