// The training against PyTorch: the same networks of timm, pictures, optimiser, schedule, smoothing and masks of dropout.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readSafetensors } from '../../dist/checkpoint/index.js';
import { runJob } from '../../dist/native/jobs.js';
import { native } from '../../dist/native/load.js';
import { environment } from '../family/environment.mjs';

import { createTrainer, difference, numbersOf, plain, stateOf, train } from './trainer.mjs';

/** Of networks.py. */
export const classes = 5;

const cases = [
  { name: 'ghostnet-sgd', form: 'ghostnet', width: 0.5, optimizer: 'sgd' },
  {
    name: 'ghostnetv3-adamw',
    form: 'ghostnetv3',
    width: 0.5,
    optimizer: 'adamw',
    learningRate: 0.0005,
    isLong: true,
  },
  {
    name: 'ghostnetv2-adamw',
    form: 'ghostnetv2',
    width: 0.5,
    optimizer: 'adamw',
    learningRate: 0.0005,
    ema: 0,
    isLong: true,
  },
  { name: 'repghostnet-sgd', form: 'repghostnet', width: 0.5, optimizer: 'sgd', dropout: 0, isLong: true },
].map((one) => ({ ...plain, ...one }));

/**
 * Without momentum's past, weight decay and clipping, the momentum of SGD after one step is the gradient. The sides are those at which
 * the gradients of float32 are near those of float64: at 64 pixels the attentions normalise planes of four values.
 */
const single = [
  ['ghostnet', 64],
  ['ghostnetv2', 96],
  ['ghostnetv3', 96],
  ['repghostnet', 64],
].map(([form, side]) => ({
  ...plain,
  ...{ name: `${form}-float32`, form, side, width: 0.5, optimizer: 'sgd', dtype: 'float32', steps: 1 },
  ...{ weightDecay: 0, maxGradientNorm: 0, ema: 0, batch: 16 },
}));

/** Runs PyTorch. @returns the results by the name of the case */
export function torchResults(list, folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'cases.json');
  writeFileSync(file, JSON.stringify(list));
  const script = fileURLToPath(new URL('parity.py', import.meta.url));
  const { status, stderr } = spawnSync('python3', [script, file, folder], {
    env: environment,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`python3 ${script} ended with ${status}: ${stderr.slice(-2000)}`);
  return new Map(
    list.map(({ name }) => [name, readSafetensors(readFileSync(join(folder, `${name}.safetensors`))).arrays]),
  );
}

function partOf(arrays, prefix) {
  const part = [...arrays].filter(([name]) => name.startsWith(prefix));
  return new Map(part.map(([name, array]) => [name.slice(prefix.length), array]));
}

/** The stage table of the network that weights are of. */
async function layersOf(arrays) {
  const list = Array.from(arrays, ([name, array]) => ({ name, ...array }));
  const model = await runJob({}, (ticket) => native().loadModel(ticket, list, { inputSize: 64 }));
  const { stages, width, numClasses } = model.describe();
  model.dispose();
  return { stages, width, numClasses };
}

async function trained(one, results) {
  const initial = partOf(results, 'initial.');
  const start = [...initial].map(([name, array]) => [`model.${name}`, array]);
  const trainer = await createTrainer(start, await layersOf(initial), one);
  const losses = await train(trainer, one, classes, 0, one.steps);
  const state = await stateOf(trainer);
  trainer.dispose();
  return { losses, state };
}

/** What a tensor is compared with: tensors of an optimiser with all of their kind, for some gradients are zero but for rounding. */
const kindOf = (name) => (name.startsWith('optimizer.') ? name.replace(/^.*\./, 'optimizer.') : name);

/** 20 steps in float64: every loss, and every tensor at the end within 1e-10 of the largest number of its kind. */
export async function doubles({ folder, isQuick }) {
  const chosen = cases.filter(({ isLong }) => !(isQuick && isLong));
  const all = torchResults(chosen, join(folder, 'doubles'));
  const lines = [];
  for (const one of chosen) {
    const results = all.get(one.name);
    const { losses, state } = await trained(one, results);
    const expected = numbersOf(results.get('losses'));
    const ofLosses = Math.max(...losses.map((loss, step) => Math.abs(loss / expected[step] - 1)));
    assert(ofLosses <= 1e-10, `${one.name}: the losses differ by ${ofLosses}`);
    const names = [...results.keys()].filter((name) => /^(model|average|optimizer)\./.test(name));
    assert.deepEqual([...state.keys()].sort(), names.sort());
    const differences = new Map(names.map((name) => [name, difference(state.get(name), results.get(name))]));
    const scales = new Map();
    for (const [name, { largest }] of differences) {
      scales.set(kindOf(name), Math.max(largest, scales.get(kindOf(name)) ?? 0));
    }
    let ofTensors = 0;
    for (const [name, { most }] of differences) {
      const relative = most / Math.max(scales.get(kindOf(name)), 1e-6);
      assert(relative <= 1e-10, `${one.name}: ${name} differs by ${relative} of its largest number`);
      ofTensors = Math.max(ofTensors, relative);
    }
    const fall = `${losses[0].toFixed(3)} to ${losses.at(-1).toFixed(3)}`;
    lines.push(
      `${one.name}: losses ${ofLosses.toExponential(1)}, ${names.length} tensors ${ofTensors.toExponential(1)} (loss ${fall})`,
    );
  }
  return lines.join('; ');
}

/** One step in float32: the loss, and every gradient within 1e-5 of the largest of the network. */
export async function gradients({ folder }) {
  const all = torchResults(single, join(folder, 'single'));
  const lines = [];
  for (const one of single) {
    const results = all.get(one.name);
    const { losses, state } = await trained(one, results);
    const ofLoss = Math.abs(losses[0] / numbersOf(results.get('losses'))[0] - 1);
    assert(ofLoss <= 1e-5, `${one.name}: the loss differs by ${ofLoss}`);
    const names = [...results.keys()].filter((name) => name.endsWith('.momentum_buffer'));
    const differences = names.map((name) => difference(state.get(name), results.get(name)));
    const largest = Math.max(...differences.map((each) => each.largest));
    const most = Math.max(...differences.map((each) => each.most));
    assert(largest > 0 && most <= 1e-5 * largest, `${one.name}: gradients differ by ${most} of ${largest}`);
    lines.push(
      `${one.form}: loss ${ofLoss.toExponential(1)}, gradients ${(most / largest).toExponential(1)}`,
    );
  }
  return lines.join('; ');
}
