// npm run test:arm64: the package on linux-arm64, cross-compiled here and run under qemu-user. Ends with "N passed, N failed".
//   --quick      the kernels and the engine alone, as in npm test
//   --only text  the parts with this text in their names
// The build trees are kept: build/arm64/engine (quick) and build/arm64/package.
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { buildTargets, canCompileFor, configureEngineTests } from '../../cmake/cross.mjs';
import { root } from '../../packaging/project.mjs';
import { finish } from '../support/finish.mjs';
import { emulationObstacle, letKernelStart } from './emulation.mjs';
import { leftOut } from './left-out.mjs';
import { runJavaScript } from './javascript.mjs';
import { fetchModules } from './modules.mjs';
import { runNative } from './native.mjs';
import * as packages from './package.mjs';
import { makeStandIn, standIn } from './stand-in.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    report: { type: 'string' },
  },
});
const platform = 'linux-arm64';
/** Without the tests that take minutes under emulation; they are in the long form. */
const short = '-Jpeg*:CudaModel*:InferArchitecture*';
const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };
const rows = [];
const start = performance.now();

/** Runs a part. Its result is counts of tests, or a text of a single check. */
async function part(name, action) {
  if (!name.includes(options.only)) return undefined;
  console.log(`\n-- ${name} --`);
  const begin = performance.now();
  let counts;
  let result;
  try {
    result = await action();
    counts = typeof result?.passed === 'number' ? result : { passed: 1, failed: 0, skipped: 0 };
    if (typeof result === 'string') console.log(`  ok      ${result}`);
  } catch (error) {
    counts = { passed: 0, failed: 1, skipped: 0 };
    totals.failures.push(`${name}: ${error.message}`);
    console.log(`  FAILED  ${error.stack}`);
  }
  for (const key of ['passed', 'failed', 'skipped']) totals[key] += counts[key];
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  rows.push([name, counts.passed, counts.failed, counts.skipped, seconds]);
  return result;
}

async function quick() {
  const build = join(root, 'build', 'arm64', 'engine');
  await part('engines, C++', () => {
    configureEngineTests(platform, build);
    buildTargets(build, ['ghostnet_engine_tests']);
    return runNative(build, 'ghostnet_engine_tests', { filter: short });
  });
}

async function everything() {
  const { tree } = packages;
  makeStandIn();
  process.env.LIBTORCH = standIn; // for the build and all that runs
  const node = fetchModules();
  if (!letKernelStart(node))
    throw new Error('The kernel starts no programs for ARM: run this as root, or install qemu-user-binfmt');
  await part('packages: binaries', () => packages.makeBinaries());
  await part('engines, C++', () => {
    buildTargets(tree, ['ghostnet_engine_tests']);
    return runNative(tree, 'ghostnet_engine_tests');
  });
  await part('networks, C++ with LibTorch', () => {
    buildTargets(tree, ['ghostnet_tests']);
    return runNative(tree, 'ghostnet_tests');
  });
  const made = await part('packages: made', () => packages.makePackages(standIn));
  if (made !== undefined) {
    await part('packages: installed by npm', () => packages.install(made));
    delete process.env.LIBTORCH; // the installed package finds its own
    await part('packages: doctor', () => packages.doctor(node));
    await part('packages: classify, five photos', () => packages.classify(node));
    await part('packages: fused equals reference', () => packages.compareBackends(node));
    process.env.LIBTORCH = standIn;
  }
  await part('golden networks and modules, JavaScript', () => runJavaScript(node, tree, ['test/golden']));
  await part('unit tests, JavaScript', () => {
    buildTargets(tree, ['ghostnet_copy', 'ghostnet_faults', 'ghostnet_malloc', 'ghostnet_cuda_rig']);
    return runJavaScript(node, tree, ['test/unit', 'test/processes']);
  });
  console.log('\nLeft out of the unit tests:');
  for (const { file, reason } of leftOut) console.log(`  ${file}: ${reason}`);
}

const obstacle =
  emulationObstacle() ??
  (canCompileFor(platform) ? undefined : 'needs aarch64-linux-gnu-g++ (Debian: g++-aarch64-linux-gnu)');
if (obstacle !== undefined && options.quick) {
  totals.skipped += 1;
  console.log(`\nSkipped:\n  linux-arm64: ${obstacle}`);
} else if (obstacle !== undefined) {
  totals.failed += 1;
  console.error(`linux-arm64: ${obstacle}`);
} else if (options.quick) {
  await quick();
} else {
  await everything();
}

if (rows.length > 1) {
  const columns = ['part', 'passed', 'failed', 'skipped', 'seconds'];
  const table = [columns, columns.map(() => '---'), ...rows];
  console.log(`\n${table.map((row) => `| ${row.join(' | ')} |`).join('\n')}`);
}
finish(totals, { report: options.report, start, mayBeSkipped: options.quick });
