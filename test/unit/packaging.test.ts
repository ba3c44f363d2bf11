import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { findBinary } from '../../lib/native/binary.js';
import { findLibTorch } from '../../lib/native/libtorch.js';
import { compare, examine } from '../../packaging/floor.mjs';
import { librariesFor } from '../../packaging/libraries.mjs';
import { manifest } from '../../packaging/project.mjs';

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

describe.runIf(process.platform === 'linux')('the libraries that are packed', () => {
  it('are the libraries that the addon needs, with their dependencies', () => {
    const found = librariesFor('linux', libraries, addon);
    expect(found).toEqual(expect.arrayContaining(['libc10.so', 'libtorch_cpu.so', 'libgomp.so.1']));
  });

  it('are rejected if one is missing', () => {
    expect(() => librariesFor('linux', folder)).toThrow(/libc10\.so/);
  });
});
