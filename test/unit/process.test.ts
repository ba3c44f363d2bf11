import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { runScript, runScriptForJson } from '../support/child.js';

describe('a process', () => {
  const leave = (way: string) => runScript('leave.mjs', { args: [way] });

  it('with an idle model ends by itself', async () => {
    expect(await leave('idle')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('waits for a call that nobody awaits', async () => {
    expect(await leave('pending')).toEqual({ code: 0, stdout: '8,10\n', stderr: '' });
  });

  it('exits right after a run', async () => {
    expect(await leave('exitAfterRun')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('exits in the middle of a run while others wait', async () => {
    // Whether the end of the process and the run meet is a matter of microseconds.
    for (let round = 0; round < 6; ++round)
      expect(await leave('exitInRun')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['throwInRun', 'thrown on purpose'],
    ['rejectInRun', 'rejected on purpose'],
  ])('that fails in the middle of a run says why: %s', async (way, why) => {
    const { code, stderr } = await leave(way);
    expect(code).toBe(1);
    expect(stderr).toContain(why);
  });

  it('ends its worker threads in the middle of their runs', async () => {
    expect(await leave('terminate')).toEqual({ code: 0, stdout: '2 8,10\n', stderr: '' });
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
  it('do not mix up their calls and their errors', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ghostnet-twice-'));
    try {
      const report = await runScriptForJson('two-copies.mjs', { args: [folder] });
      expect(report).toEqual({
        equal: true,
        own: [true, true],
        codes: ['GHOSTNET_BAD_SHAPE', 'GHOSTNET_BAD_SHAPE'],
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
