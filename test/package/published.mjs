// Checks the content of the tarball, and that tools for packages accept it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join, relative } from 'node:path';

import { inBinaries } from '../../packaging/components.mjs';
import { npm } from '../../packaging/npm.mjs';
import { manifest, packages, root } from '../../packaging/project.mjs';
import { billOfGhostnet, billOfLibTorch } from '../../packaging/sbom.mjs';

const tool = (path) => join(root, 'node_modules', path);

function run(script, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout;
}

function filesOf(tarball) {
  const { stdout } = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return stdout
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
}

/** The licences of what LibTorch's package contains: those of the wheel, and those that the wheel lacks. */
export async function checkLicences(check, libtorch, licences) {
  await check("LibTorch's package has the licences of all that is in it", () => {
    const files = filesOf(libtorch);
    const wanted = readdirSync(licences, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join('licenses', relative(licences, entry.parentPath), entry.name));
    assert.ok(wanted.length > 50, `the wheel has only ${wanted.length} licences`);
    assert.deepEqual(
      wanted.filter((path) => !files.includes(path)),
      [],
    );
    const added = { libgomp: ['gpl-3.0.txt', 'gcc-runtime-library-exception-3.1.txt'] };
    if (process.arch === 'x64') added.onemkl = ['intel-simplified-software-license.txt'];
    for (const [name, texts] of Object.entries(added)) {
      for (const text of texts) {
        assert.ok(files.includes(`licenses/third_party/${name}/${text}`), `no ${text} of ${name}`);
      }
    }
  });
}

/** The bills of materials: every dependency that is installed, and the native code. */
export async function checkBills(check, ghostnet, libtorch) {
  await check('the bills of materials name all that is in the packages', () => {
    const bill = JSON.parse(readFileSync(billOfGhostnet(ghostnet), 'utf8'));
    const names = bill.components.map(({ name }) => name);
    for (const name of [...Object.keys(manifest.dependencies), ...inBinaries.map((part) => part.name)]) {
      assert.ok(names.includes(name), `no ${name}`);
    }
    for (const name of ['string-width', 'detect-libc', 'semver'])
      assert.ok(names.includes(name), `no ${name}`);
    for (const name of ['vitest', 'typescript']) assert.ok(!names.includes(name), `${name} is not installed`);
    const references = new Set([bill.metadata.component, ...bill.components].map((part) => part['bom-ref']));
    for (const { ref, dependsOn } of bill.dependencies) {
      for (const name of [ref, ...dependsOn]) assert.ok(references.has(name), `${name} is not described`);
    }
    const ofLibTorch = JSON.parse(readFileSync(billOfLibTorch(libtorch), 'utf8'));
    for (const name of ['LibTorch', 'fmt', 'sleef', 'protobuf']) {
      assert.ok(
        ofLibTorch.components.some((part) => part.name === name),
        `no ${name}`,
      );
    }
  });
}

export async function checkTarball(check, tarball) {
  await check('publint finds nothing', () => {
    run(tool('publint/src/cli.js'), ['run', tarball, '--strict']);
  });
  await check('@arethetypeswrong/cli finds nothing', () => {
    run(tool('@arethetypeswrong/cli/dist/index.js'), [tarball]);
  });
  await check('holds what users need, and nothing else', () => {
    const files = filesOf(tarball);
    const wanted =
      /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|NOTICE|dist\/.*\.(js|mjs|d\.ts|d\.mts)|dist\/serve\/grpc\/inference\.proto|models\/[\w.]+|prebuilds\/[\w-]+\/ghostnet((_loader)?\.node|_cuda\.so))$/;
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
