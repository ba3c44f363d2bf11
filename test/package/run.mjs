// Installs the packed packages from a registry and uses them, like a user: node test/package/run.mjs [--quick]
// --quick: this Node with npm. Otherwise every supported Node with every package manager; prints the table of docs/install.md.
// --node=22 and --manager=pnpm select one of them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { packLibTorch } from '../../packaging/libtorch.mjs';
import { packGhostnet } from '../../packaging/pack.mjs';
import { manifest, packages, root } from '../../packaging/project.mjs';
import { findNvcc } from '../cuda/tools.mjs';
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

function make(script) {
  const { status } = spawnSync(process.execPath, [join('packaging', script)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

make('prebuild.mjs');
// Takes minutes if it was not built before.
const hasGpuLibrary = !quick && (await findNvcc()) !== undefined;
if (hasGpuLibrary) {
  make('prebuild-cuda.mjs');
} else {
  console.log(`\nSkipped: the GPU library, ${quick ? 'in the quick run' : 'because there is no nvcc'}.`);
}

const next = `${manifest.version}-next.0`;
const platform = `${process.platform}-${process.arch}`;
// Packages of other runs are removed, so that they are not published. LibTorch stays, because packing it takes a minute.
for (const name of existsSync(packages) ? readdirSync(packages) : []) {
  if (name !== `ghostnet-libtorch-${platform}-${manifest.libtorch.version}.tgz`) {
    rmSync(join(packages, name), { recursive: true });
  }
}
const libtorch = packLibTorch(platform);
if (!quick) packGhostnet(next);
const ghostnet = packGhostnet();

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
registry.stop();
rmSync(join(root, 'build', 'registry'), { recursive: true, force: true });

const columns = ['case', 'install, s', 'on disk, MB', 'to the first label, s'];
const table = [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
console.log(`\n${table}\n\n${totals.passed} passed, ${totals.failed} failed`);
const results = join(root, 'build', 'test-results');
mkdirSync(results, { recursive: true });
writeFileSync(join(results, 'package.json'), JSON.stringify(totals));
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);
