import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findBinary } from '../../lib/native/binary.js';
import { findLibTorch } from '../../lib/native/libtorch.js';
import { compare, examine } from '../../packaging/floor.mjs';
import { inBinaries, withoutLicence } from '../../packaging/components.mjs';
import { readElf } from '../../packaging/formats/elf.mjs';
import { librariesFor } from '../../packaging/libraries.mjs';
import { packLibTorch } from '../../packaging/libtorch.mjs';
import { manifest, root } from '../../packaging/project.mjs';
import { strip } from '../../packaging/strip.mjs';

const { floor } = manifest as { floor: Record<string, string | number> };
const { folder, addon, built } = findBinary();
const libraries = join(findLibTorch(built).root, 'lib');

describe.runIf(process.platform === 'linux')('the system requirements of binaries', () => {
  it.each(['ghostnet.node', 'ghostnet_loader.node'])('are within the limits: %s', (name) => {
    expect(examine(join(folder, name), floor).faults).toEqual([]);
  });

  it('list each symbol that exceeds the limits', () => {
    const { faults } = examine(addon, { ...floor, glibcxx: '3.4.20', napi: 6 });
    expect(faults).toContain('_ZNSt6thread6_StateD2Ev needs glibcxx 3.4.22');
    expect(faults.some((fault) => fault.endsWith('needs napi 7'))).toBe(true);
  });

  it('are compared by number', () => {
    expect(compare('2.4', '2.28')).toBeLessThan(0);
    expect(compare('3.4.22', '3.4.22')).toBe(0);
    expect(compare('3.4.22', '3.4')).toBeGreaterThan(0);
    expect(compare(8, 10)).toBeLessThan(0);
  });
});

describe('the notice of the code in the binaries', () => {
  const notice = readFileSync(join(root, 'NOTICE'), 'utf8');
  const { version } = (manifest as { libjpegTurbo: { version: string } }).libjpegTurbo;
  const words = (text: string) =>
    text
      .replaceAll(/<br>|^; ?/gm, '')
      .replaceAll(/\s+/g, ' ')
      .trim();

  it.each(inBinaries)('names $name in the version that is compiled', ({ name, version: compiled }) => {
    const title = name === "LibTorch's headers" ? 'headers of LibTorch' : name;
    expect(notice).toContain(`${title} ${compiled} `);
  });

  it("says what libjpeg's licence demands", () => {
    expect(notice).toContain('This software is based in part on the work of the Independent JPEG Group.');
  });

  const texts = [
    join(root, 'node_modules', 'node-addon-api', 'LICENSE.md'),
    join(root, 'node_modules', 'node-api-headers', 'LICENSE'),
    join(libraries, '..', 'licenses', 'LICENSE'), // another LibTorch may have none
  ];
  it.each(texts.filter((path) => existsSync(path)))('has the licence %s', (path) => {
    expect(words(notice)).toContain(words(readFileSync(path, 'utf8')));
  });

  const fetched = join(root, '.libjpeg-turbo', version);
  it.skipIf(!existsSync(fetched))('has the licences of that version', () => {
    const between = (file: string, begin: string, end: string) => {
      const text = readFileSync(join(fetched, file), 'utf8');
      expect(text).toContain(begin);
      return words(text.slice(text.indexOf(begin), text.indexOf(end, text.indexOf(begin))));
    };
    const licences = [
      between('README.ijg', 'In legalese:', 'REFERENCES'),
      between('LICENSE.md', 'Copyright (C)2009', 'Why Two Licenses?'),
      between('simd/nasm/jsimdext.inc', '; Copyright 2009', '; ====='),
    ];
    for (const licence of licences) expect(words(notice)).toContain(licence);
  });
});

describe("LibTorch's package", () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'ghostnet-packaging-'));
  });
  afterEach(() => {
    rmSync(place, { recursive: true });
  });

  it('is not made of a build for GPUs, of which it would lack libraries', () => {
    writeFileSync(join(place, 'version.py'), "__version__ = '2.13.0+cu130'\n");
    expect(() => packLibTorch('linux-arm64', place, { into: place })).toThrow(
      /is LibTorch 2\.13\.0\+cu130; the package is made of [\d.]+\+cpu$/,
    );
  });

  it('is not made with a library whose licence nobody knows', () => {
    const names = ['libc10.so', 'libtorch_cpu.so', 'libgomp.so.1', 'libarm_compute.so', 'libgfortran.so.5'];
    expect(withoutLicence(names)).toEqual([]);
    expect(withoutLicence([...names, 'libnvpl_blas_core.so.0'])).toEqual(['libnvpl_blas_core.so.0']);
  });
});

describe.runIf(process.platform === 'linux')('the libraries that are packed', () => {
  it('are the libraries that the addon needs, with their dependencies', () => {
    const found = librariesFor('linux', libraries, addon);
    expect(found).toEqual(expect.arrayContaining(['libc10.so', 'libtorch_cpu.so', 'libgomp.so.1']));
  });

  it('lose the symbol table for debuggers, and nothing that the system linker needs', () => {
    const made = mkdtempSync(join(tmpdir(), 'ghostnet-strip-'));
    try {
      const from = join(folder, 'ghostnet_loader.node');
      const to = join(made, 'stripped.so');
      strip(from, to, process.arch);
      const [before, after] = [readElf(from), readElf(to)];
      expect([before.hasSymbolTable, after.hasSymbolTable]).toEqual([true, false]);
      expect({ ...after, hasSymbolTable: true }).toEqual(before);
    } finally {
      rmSync(made, { recursive: true });
    }
  });

  it('are rejected if one is missing', () => {
    expect(() => librariesFor('linux', folder)).toThrow(/libc10\.so/);
  });
});
