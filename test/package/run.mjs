// Installs the packed packages from a registry and uses them, like a user: node test/package/run.mjs [--quick]
// --quick: this Node with npm. Otherwise every supported Node with every package manager, and then test/deploy; prints the tables of
// docs/install.md.
// --node=22 and --manager=pnpm select one of them.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { manifest, root } from '../../packaging/project.mjs';
import { findNvcc } from '../cuda/tools.mjs';
import { deploy, tableOf } from '../deploy/suite.mjs';
import { makeBinaries, makePackages } from './packages.mjs';
import { checkBills, checkLicences, checkTarball } from './published.mjs';
import { startRegistry } from './registry.mjs';
import { special, usual } from './cases.mjs';
import { managers } from './tools.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    node: { type: 'string' },
    manager: { type: 'string' },
  },
});
const { quick } = options;
const totals = { passed: 0, failed: 0, failures: [] };
const rows = [];

/** Runs a check and counts it. */
async function check(name, action) {
  try {
    const result = await action();
    totals.passed += 1;
    console.log(`  ok      ${name}`);
    return result;
  } catch (error) {
    totals.failed += 1;
    totals.failures.push(`${name}: ${error.message ?? error}`);
    console.log(`  FAILED  ${name}\n${String(error.stack ?? error).replace(/^/gm, '          ')}`);
    return undefined;
  }
}

makeBinaries();
// Takes minutes if it was not built before.
const hasGpuLibrary = !quick && (await findNvcc()) !== undefined;
if (hasGpuLibrary) {
  makeBinaries('prebuild-cuda.mjs');
} else {
  console.log(`\nSkipped: the GPU library, ${quick ? 'in the quick run' : 'because there is no nvcc'}.`);
}

const next = `${manifest.version}-next.0`;
const { libtorch, ghostnet } = makePackages(quick ? [] : [next]);

console.log('\nThe packed package');
await checkTarball(check, ghostnet);
const licences = join(root, '.libtorch', `${manifest.libtorch.version}-cpu`, 'licenses');
if (existsSync(licences)) await checkLicences(check, libtorch, licences);
else
  console.log(
    "  skipped LibTorch's package has the licences of all that is in it (its wheel was not fetched)",
  );
await checkBills(check, ghostnet, libtorch);

const registry = await startRegistry(join(root, 'build', 'registry'));
registry.publish();

const context = { check, registry, rows, next, quick, hasGpuLibrary };
const chosen = (option, all) => (option === undefined ? all : [option]);
for (const node of chosen(options.node, quick ? ['this'] : ['20', '22', '24', 'latest'])) {
  const all = quick ? ['npm'] : Object.keys(managers);
  for (const manager of chosen(options.manager, all)) await usual(context, node, manager);
  if (options.manager === undefined) await special(context, node);
}
let deployed;
if (!quick && options.node === undefined && options.manager === undefined) {
  console.log('\nThe package where people deploy');
  deployed = await deploy({ registry });
  totals.passed += deployed.totals.passed;
  totals.failed += deployed.totals.failed;
}
registry.stop();
rmSync(join(root, 'build', 'registry'), { recursive: true, force: true });

const columns = ['case', 'install, s', 'on disk, MB', 'to the first label, s'];
const table = [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
if (deployed !== undefined) console.log(`\n${tableOf(deployed.rows)}`);
console.log(`\n${table}\n\n${totals.passed} passed, ${totals.failed} failed`);
const results = join(root, 'build', 'test-results');
mkdirSync(results, { recursive: true });
writeFileSync(join(results, 'package.json'), JSON.stringify(totals));
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);
