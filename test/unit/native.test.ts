import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findBinary } from '../../lib/native/binary.js';
import { root } from '../support/child.js';

function evaluate(script: string, environment: Record<string, string>): string {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: root,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
  return stdout;
}

// The result of loading in a process with this environment.
function codeOfLoading(environment: Record<string, string>): { code: string; message: string } {
  const script = `
    const { GhostNet } = await import('ghostnet');
    const error = await GhostNet.create({ width: 0.1 }).then(() => ({ code: 'none', message: '' }), (error) => error);
    console.log(JSON.stringify({ code: error.code, message: error.message }));`;
  return JSON.parse(evaluate(script, environment)) as { code: string; message: string };
}

describe('loading the native addon', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ghostnet-native-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const libtorchWith = (name: string, version: string): string => {
    const made = join(folder, name);
    mkdirSync(join(made, 'lib'), { recursive: true });
    writeFileSync(join(made, 'version.py'), `__version__ = '${version}+cpu'\n`);
    return made;
  };

  it('takes the LibTorch that LIBTORCH names', () => {
    const { built } = findBinary();
    const folder = libtorchWith('right', built.version);
    rmSync(join(folder, 'lib'), { recursive: true });
    symlinkSync(join(built.root ?? '', 'lib'), join(folder, 'lib'));
    expect(codeOfLoading({ LIBTORCH: folder }).code).toBe('none');
  });

  it('GHOSTNET_LIBTORCH_NOT_FOUND: LIBTORCH names no LibTorch', () => {
    const { code, message } = codeOfLoading({ LIBTORCH: join(folder, 'nothing') });
    expect(code).toBe('GHOSTNET_LIBTORCH_NOT_FOUND');
    expect(message).toContain('LIBTORCH');
    expect(message).toContain(join(folder, 'nothing', 'lib'));
  });

  it('GHOSTNET_LIBTORCH_NOT_FOUND: LIBTORCH_USE_PYTORCH=1 without a torch in python3', () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'python3'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const { code, message } = codeOfLoading({ LIBTORCH_USE_PYTORCH: '1', PATH: bin });
    expect(code).toBe('GHOSTNET_LIBTORCH_NOT_FOUND');
    expect(message).toContain('python3');
  });

  it('GHOSTNET_LIBTORCH_VERSION: names the version found and the version expected', () => {
    const { code, message } = codeOfLoading({ LIBTORCH: libtorchWith('old', '1.2.3') });
    expect(code).toBe('GHOSTNET_LIBTORCH_VERSION');
    expect(message).toContain('1.2.3');
    expect(message).toContain(findBinary().built.version);
  });

  it('GHOSTNET_LIBRARY_MISSING: names the library that is missing', () => {
    const { code, message } = codeOfLoading({ LIBTORCH: libtorchWith('empty', findBinary().built.version) });
    expect(code).toBe('GHOSTNET_LIBRARY_MISSING');
    expect(message).toMatch(/libc10\.(so|dylib)/);
  });

  it('GHOSTNET_ADDON_UNLOADABLE: the binary is damaged', () => {
    const { addon, folder: build } = findBinary();
    const copy = join(folder, 'damaged');
    cpSync(join(build, 'libtorch.json'), join(copy, 'libtorch.json'));
    cpSync(join(dirname(addon), 'ghostnet_loader.node'), join(copy, 'ghostnet_loader.node'));
    writeFileSync(join(copy, 'ghostnet.node'), 'not a library');
    expect(codeOfLoading({ GHOSTNET_BINARY: join(copy, 'ghostnet.node') }).code).toBe(
      'GHOSTNET_ADDON_UNLOADABLE',
    );
  });

  it('GHOSTNET_ADDON_NOT_FOUND: says where it looked', () => {
    const { code, message } = codeOfLoading({ GHOSTNET_BINARY: join(folder, 'none.node') });
    expect(code).toBe('GHOSTNET_ADDON_NOT_FOUND');
    expect(message).toContain('none.node');
  });

  it('leaves the waiting of OpenMP alone where the user has decided on it', () => {
    const script = `
      const { GhostNet } = await import('ghostnet');
      (await GhostNet.create({ width: 0.1 })).dispose();
      console.log(process.env.GOMP_SPINCOUNT);`;
    const spin = (environment: Record<string, string>): string => evaluate(script, environment).trim();
    expect(spin({})).toBe('1000');
    expect(spin({ GOMP_SPINCOUNT: '7' })).toBe('7');
    expect(spin({ OMP_WAIT_POLICY: 'active' })).toBe('undefined');
  });
});
