// Runs all tests (C++, JavaScript and the package), and ends with a line that counts them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

const results = join('build', 'test-results');
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const totals = { passed: 0, failed: 0, skipped: 0 };
// What failed, and how. The end of a long output names it again.
const reported = [];
let broken = false;

// A runner that dies without a report counts as a failure, whatever it printed.
function run(name, command, args, report, count) {
  console.log(`\n== ${name} ==`);
  const start = performance.now();
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  if (error) console.error(`${name}: ${error.message}`);
  if (!existsSync(report)) {
    console.error(`${name}: no report; it ended with ${status}`);
    totals.failed += 1;
    reported.push(`${name}: no report; it ended with ${status}`);
    broken = true;
    return;
  }
  const before = totals.failed;
  count(JSON.parse(readFileSync(report, 'utf8')), name);
  if (status !== 0 && totals.failed === before) {
    console.error(`${name}: ended with ${status} although no test failed`);
    totals.failed += 1;
    reported.push(`${name}: ended with ${status} although no test failed`);
  }
}

function countNative({ tests, failures, errors, disabled, testsuites }) {
  // Tests that need instructions this processor lacks; googletest counts them as run.
  const skipped = testsuites.flatMap(({ testsuite }) =>
    testsuite.filter(({ result }) => result === 'SKIPPED'),
  );
  totals.passed += tests - failures - errors - disabled - skipped.length;
  totals.failed += failures + errors;
  for (const { classname, name, failures: wrong } of testsuites.flatMap(({ testsuite }) => testsuite)) {
    if (wrong) reported.push(`C++: ${classname}.${name}: ${wrong[0].failure}`);
  }
  totals.skipped += disabled + skipped.length;
  if (skipped.length > 0) console.log('\nSkipped:');
  for (const { classname, name, skipped: reasons } of skipped) {
    console.log(`  ${classname}.${name}: ${reasons?.[0]?.message ?? ''}`);
  }
}

function countAll({ passed, failed, skipped = 0, failures = [] }, name) {
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  reported.push(...failures.map((failure) => `${name}: ${failure}`));
}

for (const [name, program] of [
  ['C++', 'ghostnet_tests'],
  ['C++ without LibTorch', 'ghostnet_engine_tests'],
]) {
  const report = join(results, `${program}.json`);
  run(
    name,
    join('build', 'native', 'test', program),
    ['--gtest_brief=1', `--gtest_output=json:${report}`],
    report,
    countNative,
  );
}

// Damaged files: the parsers in TypeScript, and the JPEG decoder under sanitizers.
runQuick('Fuzzing', join('test', 'fuzz', 'run.mjs'));

// The kernels and the engine for 64-bit ARM, under emulation.
runQuick('arm64', join('test', 'arm64', 'run.mjs'));

// The CUDA kernels on this CPU and, if nvcc is installed, the compiled kernels.
const cuda = join(results, 'cuda.json');
run('CUDA', process.execPath, [join('test', 'cuda.mjs'), `--report=${cuda}`], cuda, countAll);

/** Tests of vitest: those of a project of vitest.config.ts. */
function runVitest(name, project) {
  const report = join(results, `${project}.json`);
  const args = ['run', `--project=${project}`, '--passWithNoTests', '--reporter=default', '--reporter=json'];
  run(
    name,
    process.execPath,
    [
      join('node_modules', 'vitest', 'vitest.mjs'),
      ...args,
      `--outputFile=${report}`,
      ...process.argv.slice(2),
    ],
    report,
    countVitest,
  );
}

function countVitest({ numPassedTests, numFailedTests, numPendingTests, testResults }) {
  totals.passed += numPassedTests;
  totals.failed += numFailedTests;
  totals.skipped += numPendingTests;
  const named = (status) =>
    testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter((one) => one.status === status)
        .map((one) => ({ ...one, file: relative('.', name) })),
    );
  for (const { file, fullName, failureMessages } of named('failed')) {
    reported.push(`${file}: ${fullName}: ${failureMessages.join('\n')}`);
  }
  // A file that could not be loaded has no tests.
  for (const { name, status, message, assertionResults } of testResults) {
    if (status === 'failed' && assertionResults.length === 0)
      reported.push(`${relative('.', name)}: ${message}`);
  }
  const skipped = named('skipped');
  if (skipped.length > 0) console.log('\nSkipped:');
  for (const { fullName } of skipped) console.log(`  ${fullName}`);
}

runVitest('JavaScript', 'unit');
runVitest('Processes', 'processes');

/** The quick form of a suite with a command of its own. */
function runQuick(name, script) {
  const report = join(results, `${name.toLowerCase()}.json`);
  run(name, process.execPath, [script, '--quick', `--report=${report}`], report, countAll);
}

/** The packages, as they would be published. */
function runPackage() {
  const { version } = JSON.parse(readFileSync(join('build', 'Release', 'libtorch.json'), 'utf8'));
  const { libtorch } = JSON.parse(readFileSync('package.json', 'utf8'));
  if (version !== libtorch.version) {
    console.log(`\nSkipped:\n  the package: it is built with LibTorch ${libtorch.version}, not ${version}`);
    totals.skipped += 1;
    return;
  }
  const report = join(results, 'package.json');
  run('Package', process.execPath, [join('test', 'package', 'run.mjs'), '--quick'], report, countAll);
}

if (process.argv.length > 2) {
  console.log(
    '\nFiles of PyTorch, the clients of the server, the pipeline, queues, training, the soak and the package are not tested: only some tests were ' +
      'requested.',
  );
} else {
  // Weights files that PyTorch and timm write, and their results.
  runQuick('Family', join('test', 'family', 'run.mjs'));
  // The clients of Triton and KServe against the server.
  runQuick('Server', join('test', 'serve', 'run.mjs'));
  // What the pipeline promises, measured in processes of its own.
  runQuick('Pipeline', join('test', 'pipeline', 'run.mjs'));
  // Workers of queues, with a redis-server that is killed, and connections that break.
  runQuick('Queue', join('test', 'queue', 'run.mjs'));
  // Probes of labelled pictures, beside scikit-learn; fine-tuning beside PyTorch, and trainings that are killed.
  runQuick('Training', join('test', 'train', 'run.mjs'));
  // A process that works without a pause: memory, threads, descriptors and speed stay as they are.
  runQuick('Soak', join('test', 'soak', 'run.mjs'));
  runPackage();
}

if (reported.length > 0) {
  const shown = reported.map((failure) => `  ${failure.trim().split('\n').slice(0, 12).join('\n    ')}`);
  console.log(`\nFailed:\n${shown.join('\n')}`);
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed > 0 || broken || totals.passed === 0 ? 1 : 0);
