// The ways in which the loader fails outside of frameworks: the words that it prints, and that what they say helps.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { label } from '../../package/project.mjs';

const platformPackage = `@ghostnet/libtorch-${process.platform}-${process.arch}`;
const installed = (app, name) => join(app.app, 'node_modules', name);

function fails(app, code, env) {
  const { status, stderr } = app.run('node', ['app.cjs', 'photo.jpg'], env);
  assert.notEqual(status, 0);
  assert.ok(stderr.includes(code), stderr);
  return stderr;
}

function works(app, env) {
  assert.equal(app.get('node', ['app.cjs', 'photo.jpg'], env), label);
}

/** The first line for npm that a message names. */
function npmLine(message) {
  const [, line] = /`npm (.*?)`/.exec(message) ?? [];
  assert.ok(line !== undefined, message);
  return line.split(' ');
}

function installAnew(app) {
  rmSync(join(app.app, 'node_modules'), { recursive: true });
  app.get('npm', ['install', '--no-audit', '--no-fund']);
}

export async function loader(suite) {
  const app = await suite.app('plain', { flags: ['--omit=optional'] });
  await suite.check('GHOSTNET_LIBTORCH_NOT_INSTALLED: --omit=optional', () => {
    const message = fails(app, 'GHOSTNET_LIBTORCH_NOT_INSTALLED');
    app.get('npm', npmLine(message));
    works(app);
  });
  await suite.check('GHOSTNET_LIBTORCH_NOT_INSTALLED: node_modules of another processor', () => {
    renameSync(installed(app, platformPackage), installed(app, '@ghostnet/libtorch-linux-riscv64'));
    const message = fails(app, 'GHOSTNET_LIBTORCH_NOT_INSTALLED');
    assert.match(message, /remove the lock file and node_modules/);
    rmSync(join(app.app, 'package-lock.json'));
    rmSync(join(app.app, 'node_modules'), { recursive: true });
    app.get('npm', npmLine(message));
    works(app);
  });
  await suite.check('GHOSTNET_UNSUPPORTED_PLATFORM: no binary for this processor', () => {
    const prebuilds = installed(app, 'ghostnet/prebuilds');
    renameSync(join(prebuilds, 'linux-x64'), join(prebuilds, 'linux-riscv64'));
    assert.match(fails(app, 'GHOSTNET_UNSUPPORTED_PLATFORM'), /Expected linux-riscv64/);
    renameSync(join(prebuilds, 'linux-riscv64'), join(prebuilds, 'linux-x64'));
    works(app);
  });
  for (const [title, file, code] of [
    ['a library was removed', `${platformPackage}/lib/libc10.so`, 'GHOSTNET_LIBRARY_MISSING'],
    ['LibTorch was removed', `${platformPackage}/lib/libtorch_cpu.so`, 'GHOSTNET_LIBRARY_MISSING'],
    ['the binary was removed', 'ghostnet/prebuilds/linux-x64/ghostnet.node', 'GHOSTNET_ADDON_NOT_FOUND'],
  ]) {
    await suite.check(`${code}: ${title}`, () => {
      unlinkSync(installed(app, file));
      assert.match(fails(app, code), /Remove node_modules and install again/);
      installAnew(app);
      works(app);
    });
  }
  await suite.check('GHOSTNET_LIBTORCH_VERSION: LIBTORCH names another version', () => {
    const folder = join(app.app, 'other');
    mkdirSync(join(folder, 'lib'), { recursive: true });
    writeFileSync(join(folder, 'build-version'), '1.2.3+cpu\n');
    assert.match(fails(app, 'GHOSTNET_LIBTORCH_VERSION', { LIBTORCH: folder }), /or unset it/);
    works(app);
  });
}
