import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { errorCatalogue } from '../../lib/errors.js';
import { findBinary } from '../../lib/native/binary.js';
import { platformPackage } from '../../lib/native/libtorch.js';
import { linkerFault } from '../../lib/native/linker.js';
import { manifest } from '../../lib/package-files.js';
import { faultOf } from '../../lib/native/system.js';
import { root } from '../support/child.js';
import { clone, install, installLibTorch, load, pretend } from '../support/installed.js';

// On the file system of the clone, so that LibTorch can be linked instead of copied.
let folder: string;
beforeEach(() => {
  mkdirSync(new URL('build', root), { recursive: true });
  folder = mkdtempSync(fileURLToPath(new URL('build/installed-', root)));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the LibTorch of an installed package', () => {
  it('comes from the platform package beside it, as npm and yarn lay it out', () => {
    const ghostnet = install(folder);
    const platform = installLibTorch(folder);
    expect(load([ghostnet])).toMatchObject({ code: 'none', root: platform });
  });

  it('comes from the platform package below it, where another version is beside it', () => {
    const ghostnet = install(folder);
    installLibTorch(folder, '1.2.3');
    const nested = installLibTorch(ghostnet);
    expect(load([ghostnet])).toMatchObject({ code: 'none', root: nested });
  });

  it('comes from the platform package of a pnpm store', () => {
    const store = join(folder, 'node_modules', '.pnpm', 'ghostnet@0.1.0');
    const ghostnet = install(store);
    const platform = installLibTorch(store);
    const link = join(folder, 'node_modules', 'ghostnet');
    symlinkSync(ghostnet, link);
    expect(load([link])).toMatchObject({ code: 'none', root: platform });
  });

  it('is the LibTorch that LIBTORCH names, if it is set', () => {
    const ghostnet = install(folder);
    installLibTorch(folder);
    const other = installLibTorch(join(folder, 'other'));
    expect(load([ghostnet], { LIBTORCH: other })).toMatchObject({ code: 'none', root: other });
  });

  it('GHOSTNET_LIBTORCH_NOT_INSTALLED: says which package is missing and how to get it', () => {
    const { code, message } = load([install(folder)]);
    expect(code).toBe('GHOSTNET_LIBTORCH_NOT_INSTALLED');
    expect(message).toContain(platformPackage);
    expect(message).toContain('--include=optional');
  });

  it('GHOSTNET_LIBTORCH_VERSION: the platform package is of another version', () => {
    const ghostnet = install(folder);
    installLibTorch(folder, '1.2.3');
    const { code, message } = load([ghostnet]);
    expect(code).toBe('GHOSTNET_LIBTORCH_VERSION');
    expect(message).toContain('1.2.3');
    expect(message).toContain(findBinary().built.version);
  });

  it('lists each place that was tried, and why it failed', () => {
    const ghostnet = install(folder);
    installLibTorch(folder, '1.2.3');
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'python3'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const { code, message } = load([ghostnet], { LIBTORCH_USE_PYTORCH: '1', PATH: bin });
    expect(code).toBe('GHOSTNET_LIBTORCH_VERSION');
    expect(message).toMatch(/1\.2\.3.*python3 cannot import torch/);
  });

  it.each(['libc10.so', 'libtorch_cpu.so'])('GHOSTNET_LIBRARY_MISSING: names %s', (name) => {
    const ghostnet = install(folder);
    unlinkSync(join(installLibTorch(folder), 'lib', name));
    const { code, found } = load([ghostnet]);
    expect(code).toBe('GHOSTNET_LIBRARY_MISSING');
    expect(found).toContain(name);
  });

  it('GHOSTNET_LIBRARY_MISSING: names a library that another one needs', () => {
    const linux = 'libgomp.so.1: cannot open shared object file: No such file or directory';
    const darwin = 'dlopen(/x/libtorch_cpu.dylib, 0x000A): Library not loaded: @rpath/libomp.dylib';
    expect(linkerFault('LibTorch', linux)).toMatchObject({
      code: 'GHOSTNET_LIBRARY_MISSING',
      found: 'no libgomp.so.1',
    });
    expect(linkerFault('LibTorch', darwin)).toMatchObject({
      code: 'GHOSTNET_LIBRARY_MISSING',
      found: 'no @rpath/libomp.dylib',
    });
  });

  it('GHOSTNET_ADDON_NOT_FOUND: the binary was removed', () => {
    const ghostnet = install(folder);
    rmSync(join(ghostnet, 'prebuilds', `${process.platform}-${process.arch}`, 'ghostnet.node'));
    expect(load([ghostnet]).code).toBe('GHOSTNET_ADDON_NOT_FOUND');
  });
});

describe('two packages in one process', () => {
  it('share one LibTorch, if it is of the same version', () => {
    const ghostnet = install(folder);
    installLibTorch(folder);
    const before = load([clone]);
    expect(load([clone, ghostnet])).toEqual(before);
  });

  it('GHOSTNET_LIBTORCH_CONFLICT: they need different versions', () => {
    const ghostnet = install(folder, { madeWith: '1.2.3' });
    installLibTorch(folder, '1.2.3');
    const { code, message } = load([clone, ghostnet]);
    expect(code).toBe('GHOSTNET_LIBTORCH_CONFLICT');
    expect(message).toContain('1.2.3');
    expect(message).toContain(findBinary().built.version);
  });
});

describe('a system that prebuilt binaries do not run on', () => {
  const withReport = (header: object): string[] => [
    '--import',
    pretend(`process.report.getReport = () => (${JSON.stringify({ header })});`),
  ];

  it('GHOSTNET_UNSUPPORTED_PLATFORM: says which there are', () => {
    const { code, message } = load([install(folder, { platform: 'plan9-mips' })]);
    expect(code).toBe('GHOSTNET_UNSUPPORTED_PLATFORM');
    expect(message).toContain('plan9-mips');
    expect(message).toContain(`${process.platform}-${process.arch}`);
  });

  it('GHOSTNET_UNSUPPORTED_LIBC: a Node for musl says nothing of glibc', () => {
    const { code, message } = load([install(folder)], {}, withReport({}));
    expect(code).toBe('GHOSTNET_UNSUPPORTED_LIBC');
    expect(message).toContain('Alpine');
    expect(message).toContain('Use WSL2 or a Linux container with glibc');
  });

  it('GHOSTNET_UNSUPPORTED_PLATFORM: Windows gets the line that musl gets', () => {
    const windows = pretend(`Object.defineProperty(process, 'platform', { value: 'win32' });`);
    const { code, message } = load([install(folder)], {}, ['--import', windows]);
    expect(code).toBe('GHOSTNET_UNSUPPORTED_PLATFORM');
    expect(message).toContain('Found win32-');
    expect(message.endsWith(errorCatalogue.GHOSTNET_UNSUPPORTED_LIBC.remedy)).toBe(true);
    expect(message).not.toContain('\n');
  });

  it('GHOSTNET_SYSTEM_TOO_OLD: names both versions of glibc', () => {
    const { code, message } = load([install(folder)], {}, withReport({ glibcVersionRuntime: '2.17' }));
    expect(code).toBe('GHOSTNET_SYSTEM_TOO_OLD');
    expect(message).toContain('glibc 2.17');
    expect(message).toContain(`glibc ${manifest.floor.glibc}`);
  });

  it('GHOSTNET_SYSTEM_TOO_OLD: the linker finds no symbols of that version', () => {
    const ghostnet = install(folder);
    installLibTorch(folder);
    const refuse = pretend(`
      process.dlopen = () => { throw new Error("/lib/libstdc++.so.6: version \`GLIBCXX_3.4.99' not found (required by x.node)"); };`);
    const { code, message } = load([ghostnet], {}, ['--import', refuse]);
    expect(code).toBe('GHOSTNET_SYSTEM_TOO_OLD');
    expect(message).toContain('GLIBCXX_3.4.99');
  });

  it('is examined only if loading fails', () => {
    const ghostnet = install(folder);
    installLibTorch(folder);
    expect(load([ghostnet], {}, withReport({})).code).toBe('none');
  });

  it('compares versions by number', () => {
    const linux = { platform: 'linux', arch: 'x64' };
    expect(faultOf({ ...linux, glibc: '2.4' })?.code).toBe('GHOSTNET_SYSTEM_TOO_OLD');
    expect(faultOf({ ...linux, glibc: '2.28' })).toBeUndefined();
    expect(faultOf({ ...linux, glibc: '2.100' })).toBeUndefined();
    expect(faultOf({ ...linux, glibc: '3.0' })).toBeUndefined();
    expect(faultOf({ platform: 'darwin', arch: 'arm64', glibc: undefined })).toBeUndefined();
  });
});
