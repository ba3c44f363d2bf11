// Runs the unit tests on each supported version of Node, with Node binaries from npm.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { nodeBinary } from './package/tools.mjs';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24', 'latest'];
const failures = [];
for (const version of versions) {
  const node = nodeBinary(version);
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  console.log(`\n== Node ${stdout.trim()} ==`);
  const tests = [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    'test/unit',
    'test/golden',
    'test/processes',
  ];
  if (spawnSync(node, tests, { stdio: 'inherit' }).status !== 0) failures.push(`${version}: tests failed`);
}
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);
