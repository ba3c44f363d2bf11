// npm run test:family: PyTorch and timm write weights files in every dialect that is taken, this package loads them, and its results
// are PyTorch's; and the other way round. Ends with "N passed, N failed".
//   --quick                        the table's quick form, as in npm test, which does not install PyTorch and timm
//   --only='ghostnetv3: _orig_mod' the cases with this text in their names
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { finish } from '../support/finish.mjs';

import { GhostNet, Tensor } from 'ghostnet';

import { environment, packages } from './environment.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    report: { type: 'string' },
  },
});
const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** Of the largest value. */
const mostDifference = 1e-5;
let largest = { name: 'none', difference: 0 };

/** Runs one of the Python files. @yields what it prints, a value for each line. @throws {Error} if it fails */
async function* python(script, ...args) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn('python3', [path, ...args], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const end = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line);
  const [status, signal] = await end;
  if (status !== 0) throw new Error(`${script} ended with ${signal ?? status}`);
}

function tensorOf({ path, shape }) {
  const bytes = readFileSync(path);
  return Tensor.from(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), shape);
}

/** The logits of an input, or its embedding if there is no classifier. */
async function resultOf(model, input, hasClassifier) {
  const tensor = tensorOf(input);
  const { data } = await (hasClassifier ? model.forward(tensor) : model.embed(tensor));
  return Array.from(data);
}

/** Counts a case, and prints how far its results are from those expected. */
function judge(name, actual, expected) {
  const scale = Math.max(...expected.map(Math.abs));
  const difference = Math.max(...expected.map((value, index) => Math.abs(value - actual[index]))) / scale;
  // NaN, of a network or of too few results, is no difference that is allowed.
  const isRight = actual.length === expected.length && difference <= mostDifference;
  if (isRight && difference > largest.difference) largest = { name, difference };
  conclude(name, isRight, Number.isNaN(difference) ? 'no numbers to compare' : difference.toExponential(1));
}

function conclude(name, isRight, text) {
  console.log(`  ${isRight ? 'ok     ' : 'FAILED '} ${name}: ${text}`);
  totals[isRight ? 'passed' : 'failed'] += 1;
  if (!isRight) totals.failures.push(`${name}: ${text}`);
}

/** Loads a file that PyTorch has written. @returns whether that worked */
async function check({ name, source, options: loadOptions, hasClassifier, input, expected }) {
  let model;
  try {
    model = await GhostNet.load(source, loadOptions);
    judge(name, await resultOf(model, input, hasClassifier), expected);
    return true;
  } catch (error) {
    conclude(name, false, error.message);
    return false;
  } finally {
    model?.dispose();
  }
}

/** What this package saves of a network. */
const savings = [
  { text: 'saved', save: {} },
  { text: 'saved as float16', save: { dtype: 'float16' } },
  { text: 'saved as bfloat16', save: { dtype: 'bfloat16' } },
  { text: 'deployed', save: { deploy: true }, isDeployed: true },
];

/**
 * Saves a network of PyTorch in every way.
 *
 * @returns requests to read.py, with what PyTorch has to compute: what it did before or, if weights were rounded, what this package does
 */
async function saveAll({ form, width, source, options: loadOptions, folder, input, expected }) {
  const requests = [];
  const model = await GhostNet.load(source, loadOptions);
  for (const [index, { text, save, isDeployed }] of savings.entries()) {
    if (isDeployed && model.info.form !== 'branches') continue;
    const path = join(folder, `saved-${index}.safetensors`);
    await model.save(path, save);
    requests.push({
      name: `${form}: ${text} here, read by timm`,
      form,
      width,
      path,
      dtype: save.dtype ?? 'float32',
      isDeployed: isDeployed === true,
      shape: input.shape,
      expected: save.dtype === undefined ? expected : await loadedResult(path, input),
    });
  }
  model.dispose();
  return requests;
}

async function loadedResult(path, input) {
  const model = await GhostNet.load(path);
  const result = await resultOf(model, input, true);
  model.dispose();
  return result;
}

/** Each form once, in its first case with weights that read.py knows. */
function isToSave({ form, isChanged }, requests) {
  return !isChanged && !requests.some(({ name }) => name.startsWith(`${form}:`));
}

async function run(folder) {
  const requests = [];
  for await (const one of python('write.py', folder, options.quick ? 'quick' : 'complete', options.only)) {
    if (one.problem !== undefined) {
      conclude(one.name, false, one.problem);
      continue;
    }
    const isLoaded = await check(one);
    if (isLoaded && isToSave(one, requests)) requests.push(...(await saveAll(one)));
    else rmSync(one.folder, { recursive: true });
  }
  const path = join(folder, 'requests.json');
  writeFileSync(path, JSON.stringify(requests));
  for await (const { name, problem, results } of python('read.py', path)) {
    if (problem !== undefined) conclude(name, false, problem);
    else judge(name, results, requests.find((request) => request.name === name).expected);
  }
}

const start = performance.now();
const obstacle = options.quick
  ? packages.isInstalled
    ? undefined
    : 'needs build/family/python, which `node test/family/environment.mjs` makes'
  : packages.install();
if (obstacle === undefined) {
  const parent = join('build', 'family');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'files-'));
  try {
    await run(folder);
  } catch (error) {
    conclude('the suite', false, error.message);
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(`  largest difference: ${largest.difference.toExponential(1)} (${largest.name})`);
} else {
  totals.skipped += 1;
  console.log(`\nSkipped:\n  files written by PyTorch and timm: ${obstacle}`);
}

finish(totals, { report: options.report, start, mayBeSkipped: true });
