// npm run test:darwin: the package of LibTorch for macOS, and the addon, cross-compiled and linked but never run: what they need must be
// in the packages, in Node or in the system. Ends with "N passed, N failed". Needs lld 16 or newer; installs zig and lief by pip.
//   --report=<file>   the totals as JSON
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { packLibTorch } from '../../packaging/libtorch.mjs';
import { librariesFor } from '../../packaging/libraries.mjs';
import { root } from '../../packaging/project.mjs';
import { finish } from '../support/finish.mjs';
import { PythonPackages } from '../support/python-packages.mjs';
import { crossBuild, findLinker, oldest } from './cross.mjs';
import { placesOf, sorted } from './symbols.mjs';

const { values: options } = parseArgs({ options: { report: { type: 'string' } } });
const platform = 'darwin-arm64';
const python = new PythonPackages('darwin');
const totals = { passed: 0, failed: 0, skipped: 0 };

function check(name, action) {
  try {
    action();
    totals.passed += 1;
    console.log(`  ok      ${name}`);
  } catch (error) {
    totals.failed += 1;
    console.log(`  FAILED  ${name}\n${String(error.stack ?? error).replace(/^/gm, '          ')}`);
  }
}

/** @returns what macOS libraries need and have; see inspect.py */
function inspect(paths) {
  const script = fileURLToPath(new URL('inspect.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync('python3', [script, ...paths], {
    env: python.environment,
    encoding: 'utf8',
    maxBuffer: 2 ** 29,
  });
  if (status !== 0) throw new Error(`inspect.py: ${stderr}`);
  return JSON.parse(stdout);
}

/** Where package managers put ghostnet and its LibTorch; pnpm does so in a folder of its store. */
const layouts = {
  'beside each other': ['node_modules/ghostnet', 'node_modules'],
  'one in the other': ['node_modules/ghostnet', 'node_modules/ghostnet/node_modules'],
};

function checkAddon(name, { type, processor, oldest: least, needed, rpaths }, isCore) {
  check(`${name} is a bundle for arm64 and macOS ${oldest}`, () => {
    assert.deepEqual([type, processor, least], ['BUNDLE', 'ARM64', oldest]);
  });
  check(`${name} needs ${isCore ? 'LibTorch and ' : ''}the system alone`, () => {
    const others = needed.filter((library) => !library.startsWith('/usr/lib/'));
    const libtorch = ['@rpath/libc10.dylib', '@rpath/libtorch.dylib', '@rpath/libtorch_cpu.dylib'];
    for (const library of others) assert.ok(isCore && libtorch.includes(library), library);
    if (isCore) assert.ok(others.includes('@rpath/libtorch_cpu.dylib'));
  });
  for (const [layout, [ghostnet, modules]] of Object.entries(layouts)) {
    check(`${name} finds LibTorch, ${layout}`, () => {
      const folder = posix.join(ghostnet, 'prebuilds', platform);
      const places = rpaths.map((path) => posix.join(path.replace('@loader_path', folder)));
      assert.ok(places.includes(posix.join(modules, `@ghostnet/libtorch-${platform}`, 'lib')), rpaths.join());
    });
  }
}

/** Unpacks a package. @returns the folder of its libraries */
function unpack(tarball) {
  const folder = join(root, 'build', 'darwin', 'package');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync('tar', ['-xzf', tarball, '-C', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar ${tarball}: ${stderr}`);
  return join(folder, 'package', 'lib');
}

function run(linker) {
  const lib = unpack(packLibTorch(platform));
  const wheel = join(root, 'build', 'wheels', platform, 'torch');
  const zig = join(python.folder, 'ziglang');
  const { addon, loader, stub } = crossBuild(zig, linker, wheel);

  const libtorch = inspect(readdirSync(lib).map((name) => join(lib, name)));
  const [core, first] = inspect([addon, loader]);
  console.log('\nThe package of LibTorch');
  check('has every library that the addon and its own libraries need', () => {
    assert.deepEqual(librariesFor('darwin', lib, addon).sort(), readdirSync(lib).sort());
  });
  check(`has libraries for arm64 and macOS ${oldest}, which find each other`, () => {
    for (const { path, type, processor, oldest: least, needed, rpaths } of libtorch) {
      assert.deepEqual([type, processor], ['DYLIB', 'ARM64'], path);
      assert.ok(Number(least) <= Number(oldest), `${path} needs macOS ${least}`);
      const looks = needed.some((library) => library.startsWith('@rpath/'));
      assert.ok(!looks || rpaths.includes('@loader_path'), path);
    }
  });
  check('has the libraries under the names that the addon has for them', () => {
    const names = libtorch.map(({ name }) => name);
    for (const library of core.needed.filter((name) => name.startsWith('@rpath/')))
      assert.ok(names.includes(library), library);
  });
  console.log('\nThe addon');
  checkAddon('ghostnet.node', core, true);
  checkAddon('ghostnet_loader.node', first, false);
  const places = placesOf(stub, libtorch);
  for (const [name, binary] of [
    ['ghostnet.node', core],
    ['ghostnet_loader.node', first],
  ]) {
    check(`every undefined symbol of ${name} is somewhere`, () => {
      const found = sorted(binary.undefined, places);
      for (const [place, symbols] of found) console.log(`          ${place}: ${symbols.length}`);
      assert.deepEqual(found.get('nowhere'), []);
      assert.ok(found.get('Node-API').length > 10);
      if (binary === core) assert.ok(found.get('LibTorch').length > 100);
    });
  }
  check('Node finds what it calls', () => {
    for (const { exported } of [core, first]) assert.ok(exported.includes('_napi_register_module_v1'));
  });
}

const start = performance.now();
const linker = findLinker();
const obstacle =
  process.platform === 'darwin'
    ? 'on a Mac, npm test builds and runs the addon'
    : linker === undefined
      ? 'needs ld64.lld of LLVM 16 or newer (Debian 12: apt-get install lld-19)'
      : python.install();
if (obstacle === undefined) {
  try {
    run(linker);
  } catch (error) {
    totals.failed += 1;
    console.log(`  FAILED  the suite\n${error.stack}`);
  }
} else {
  totals.skipped += 1;
  console.log(`\nSkipped:\n  the addon for macOS: ${obstacle}`);
}
finish(totals, { report: options.report, start, mayBeSkipped: true });
