// Checks the content of the tarball, and that tools for packages accept it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join } from 'node:path';

import { npm } from '../../packaging/npm.mjs';
import { packages, root } from '../../packaging/project.mjs';

const tool = (path) => join(root, 'node_modules', path);

function run(script, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout;
}

export async function checkTarball(check, tarball) {
  await check('publint finds nothing', () => {
    run(tool('publint/src/cli.js'), ['run', tarball, '--strict']);
  });
  await check('@arethetypeswrong/cli finds nothing', () => {
    run(tool('@arethetypeswrong/cli/dist/index.js'), [tarball]);
  });
  await check('holds what users need, and nothing else', () => {
    const { stdout } = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' });
    const files = stdout
      .trim()
      .split('\n')
      .map((path) => path.replace(/^package\//, ''));
    const wanted =
      /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|NOTICE|dist\/.*\.(js|cjs|mjs|d\.ts|d\.cts|d\.mts)|dist\/types\/package\.json|models\/[\w.]+|prebuilds\/[\w-]+\/ghostnet((_loader)?\.node|_cuda\.so))$/;
    assert.deepEqual(
      files.filter((path) => !wanted.test(path)),
      [],
    );
    for (const name of ['LICENSE', 'NOTICE']) assert.ok(files.includes(name), `no ${name}`);
    const platform = `${process.platform}-${process.arch}`;
    for (const name of ['ghostnet', 'ghostnet_loader']) {
      assert.ok(files.includes(`prebuilds/${platform}/${name}.node`), `no ${name}.node for ${platform}`);
    }
  });
  await check('is not packed from the clone as it lies, and not without binaries', () => {
    const npmPack = spawnSync(process.execPath, [npm.entry, 'pack', '--dry-run'], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.notEqual(npmPack.status, 0);
    assert.match(npmPack.stderr, /npm run pack:ghostnet/);
    const binaries = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
    const aside = join(root, 'build', 'prebuilds-aside');
    renameSync(binaries, aside);
    try {
      const pack = spawnSync(process.execPath, [join(root, 'packaging', 'pack.mjs')], { encoding: 'utf8' });
      assert.notEqual(pack.status, 0);
      assert.match(pack.stderr, /npm run prebuild/);
    } finally {
      renameSync(aside, binaries);
    }
  });
  await check('has no install script, and depends on the LibTorch of its binaries', async () => {
    const { default: published } = await import(join(packages, 'ghostnet', 'package.json'), {
      with: { type: 'json' },
    });
    assert.equal(published.scripts, undefined);
    assert.equal(
      published.optionalDependencies[`@ghostnet/libtorch-${process.platform}-${process.arch}`],
      published.libtorch.version,
    );
  });
}
