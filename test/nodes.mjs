// Runs the unit tests on each version of Node that is supported, with the binaries that npm carries.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24', 'latest'];
const packageName = `node-${process.platform}-${process.arch}`;
const failures = [];
for (const version of versions) {
  const folder = resolve('build', 'nodes', version);
  const node = join(folder, 'node_modules', packageName, 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    const install = [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-audit',
      '--no-fund',
      `${packageName}@${version}`,
    ];
    const { status } = spawnSync('npm', install, { stdio: 'inherit' });
    if (status !== 0) {
      failures.push(`${version}: npm has no ${packageName}`);
      continue;
    }
  }
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  console.log(`\n== Node ${stdout.trim()} ==`);
  const tests = [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    'test/unit',
    'test/golden',
    'test/lifecycle',
  ];
  if (spawnSync(node, tests, { stdio: 'inherit' }).status !== 0) failures.push(`${version}: tests failed`);
}
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);
