// npm run test:nodes: the tests that depend on Node.js, on each supported version, with Node binaries from npm: unit tests, programs of
// the docs, golden values, lifecycles, the pipeline and the server.
//   node test/nodes.mjs 22 latest        these versions
//   node test/nodes.mjs --only=pipeline  the suites with this text in their names
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { nodeBinary } from './package/tools.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' } },
});
const versions = positionals.length > 0 ? positionals : ['20', '22', '24', 'latest'];

const vitest = (...folders) => [
  join('node_modules', 'vitest', 'vitest.mjs'),
  'run',
  ...folders.map((folder) => join('test', folder)),
];
const report = join('build', 'test-results', 'nodes.json');
/** Each with the arguments of node. The quick form of the pipeline's is that of npm test: what it leaves out does not depend on Node. */
const suites = {
  tests: vitest('unit', 'docs', 'golden', 'processes'),
  pipeline: [join('test', 'pipeline', 'run.mjs'), '--quick', `--report=${report}`],
  serve: [join('test', 'serve', 'run.mjs'), `--report=${report}`],
};

/** @returns 'ok', 'skipped' if nothing could run, or how a suite failed */
function outcomeOf(node, args) {
  rmSync(report, { force: true });
  const { status, signal } = spawnSync(node, args, { stdio: 'inherit' });
  if (status !== 0) return `FAILED: it ended with ${signal ?? status}`;
  if (!existsSync(report)) return 'ok';
  const { passed } = JSON.parse(readFileSync(report, 'utf8'));
  return passed === 0 ? 'skipped' : 'ok';
}

const chosen = Object.entries(suites).filter(([name]) => name.includes(values.only));
if (chosen.length === 0) throw new Error(`Expected one of the suites ${Object.keys(suites).join(', ')}`);

const rows = versions.flatMap((version) => {
  const node = nodeBinary(version);
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return chosen.map(([name, args]) => {
    console.log(`\n== Node ${stdout.trim()}: ${name} ==`);
    return { name: `Node ${stdout.trim()}: ${name}`, outcome: outcomeOf(node, args) };
  });
});

const count = (start) => rows.filter(({ outcome }) => outcome.startsWith(start)).length;
console.log();
for (const { name, outcome } of rows) console.log(`  ${name}: ${outcome}`);
console.log(`\n${count('ok')} passed, ${count('FAILED')} failed, ${count('skipped')} skipped`);
process.exit(count('FAILED') > 0 || count('ok') === 0 ? 1 : 0);
