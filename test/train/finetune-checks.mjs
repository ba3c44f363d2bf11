// What fine-tuning promises, for run.mjs.
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { GhostNet, GhostNetError } from '../../dist/index.mjs';
import { finetune } from '../../dist/training/finetune.js';
import { packages } from '../family/environment.mjs';

import { killed } from './kill.mjs';
import { doubles, gradients } from './parity.mjs';
import { classes, makePictures, saveSource } from './pictures.mjs';
import { createTrainer, plain, stateOf, train } from './trainer.mjs';

/** A small network as the start of a training. */
async function small(folder, form = 'ghostnet_010', side = 32) {
  const model = await GhostNet.create({
    variant: form,
    inputSize: side,
    numClasses: classes.length,
    seed: 2,
  });
  const state = await model.stateDict();
  const arrays = Array.from(state, ([name, { dtype, shape, data }]) => [
    `model.${name}`,
    { dtype, shape, data: new Uint8Array(data.buffer) },
  ]);
  return {
    arrays,
    layers: { stages: model.info.stages, width: model.info.width, numClasses: classes.length },
  };
}

function assertSame(first, second) {
  assert.deepEqual([...first.keys()], [...second.keys()]);
  for (const [name, { data }] of first) assert(Buffer.compare(data, second.get(name).data) === 0, name);
}

/** Two trainings with the same threads, and one that is stopped and goes on, in float32. */
async function repeated({ folder }) {
  const lines = [];
  for (const [form, optimizer, side] of [
    ['ghostnet_010', 'sgd', 32],
    ['ghostnetv3_050', 'adamw', 64],
  ]) {
    const { arrays, layers } = await small(folder, form, side);
    const training = { ...plain, optimizer, side, dtype: 'float32', learningRate: 0.003 };
    const ends = [];
    for (const threads of [1, 1, 2, 2]) {
      const trainer = await createTrainer(arrays, layers, training, threads);
      const losses = await train(trainer, training, classes.length, 0, 12);
      ends.push({ losses, state: await stateOf(trainer) });
      trainer.dispose();
    }
    for (const first of [0, 2]) {
      assert.deepEqual(ends[first].losses, ends[first + 1].losses);
      assertSame(ends[first].state, ends[first + 1].state);
    }
    const before = await createTrainer(arrays, layers, training, 2);
    const losses = await train(before, training, classes.length, 0, 5);
    const stopped = await stateOf(before);
    before.dispose();
    const after = await createTrainer(stopped, layers, training, 2);
    losses.push(...(await train(after, training, classes.length, 5, 12)));
    assert.deepEqual(losses, ends[2].losses);
    assertSame(await stateOf(after), ends[2].state);
    after.dispose();
    lines.push(`${form}, ${optimizer}: ${ends[0].state.size} arrays`);
  }
  return `bit for bit: ${lines.join('; ')}`;
}

/** A training of pictures, from a model with other classes. */
async function learns({ folder }) {
  const place = join(folder, 'learns');
  const split = await makePictures(join(place, 'pictures'), 24);
  const source = join(place, 'source.safetensors');
  await saveSource(source);
  const model = await GhostNet.load(source);
  const before = await model.stateDict();
  const seen = { epochs: 0, steps: 0, pictures: 0 };
  const { state, reports, bestEpoch, scores } = await finetune({
    ...{ model, classes, split },
    settings: { epochs: 12, batchSize: 9, learningRate: 0.01, augment: { flip: false, leastArea: 0.6 } },
    onPicture: (done) => (seen.pictures = done),
    onEpoch: () => (seen.epochs += 1),
    onStep: () => (seen.steps += 1),
  });
  assert.equal(seen.pictures, split.train.length + split.validation.length);
  assert.equal(seen.epochs, reports.length);
  assert.equal(seen.steps, reports.length * 6);
  assert.deepEqual(state.get('classifier.weight').shape, [classes.length, 1280]);
  assert.equal(scores.length, split.validation.length * classes.length);
  const best = reports[bestEpoch - 1];
  assert(best.top1 >= 0.9, `the best epoch has ${best.top1}`);
  let right = 0;
  for (const [row, { label }] of split.validation.entries()) {
    const all = [...scores.subarray(row * classes.length, (row + 1) * classes.length)];
    if (all.indexOf(Math.max(...all)) === label) right += 1;
  }
  assert.equal(right / split.validation.length, best.top1);
  // The source has not changed.
  for (const [name, { data }] of await model.stateDict()) assert.deepEqual(data, before.get(name).data, name);
  return `${(100 * best.top1).toFixed(0)} % after ${reports.length} epochs, the best was ${bestEpoch}`;
}

/** V3 is trained with branches and comes back folded. */
async function folded({ folder }) {
  const place = join(folder, 'folded');
  const split = await makePictures(join(place, 'pictures'), 8, 72);
  const model = await GhostNet.create({ variant: 'ghostnetv3_050', inputSize: 64, numClasses: 2, seed: 1 });
  const { state } = await finetune({
    ...{ model, classes, split },
    settings: { epochs: 1, batchSize: 8, frozenEpochs: 1 },
  });
  assert(![...state.keys()].some((name) => name.includes('_rpr_')));
  const unfolded = await model.stateDict({ deploy: true });
  assert.deepEqual([...state.keys()].sort(), [...unfolded.keys()].sort());
  // One frozen epoch: only the classifier has learned.
  for (const [name, { data }] of unfolded) {
    if (!name.startsWith('classifier.')) assert.deepEqual(state.get(name).data, data, name);
  }
  const deployed = join(place, 'deployed.safetensors');
  await model.save(deployed, { deploy: true });
  const again = await GhostNet.load(deployed);
  const failure = await failureOf(finetune({ model: again, classes, split, settings: { epochs: 1 } }));
  assert.equal(failure.code, 'GHOSTNET_INVALID_ARGUMENT');
  assert.match(failure.message, /branches .* are folded/);
  return `${state.size} arrays`;
}

async function failureOf(promise) {
  try {
    await promise;
  } catch (error) {
    assert(error instanceof GhostNetError, error.stack);
    return error;
  }
  throw new Error('nothing failed');
}

/** What goes wrong has a code, and nothing hangs. */
async function failures({ folder }) {
  const place = join(folder, 'failures');
  const split = await makePictures(join(place, 'pictures'), 8);
  const source = join(place, 'source.safetensors');
  await saveSource(source);
  const model = await GhostNet.load(source);
  const task = { model, classes, split, settings: { epochs: 3, batchSize: 6, checkpointSeconds: 0 } };

  const wild = {
    ...task,
    settings: { epochs: 20, learningRate: 1e12, warmup: 0, maxGradientNorm: 0, optimizer: 'sgd' },
  };
  const diverged = await failureOf(finetune(wild));
  assert.equal(diverged.code, 'GHOSTNET_TRAINING_DIVERGED');
  assert.match(diverged.remedy, /learning rate/);

  const checkpoints = join(place, 'checkpoints');
  const abort = new AbortController();
  let steps = 0;
  const aborted = await failureOf(
    finetune({
      ...{ ...task, checkpoints, signal: abort.signal },
      onStep: () => {
        steps += 1;
        if (steps === 5) abort.abort();
      },
    }),
  );
  assert.equal(aborted.code, 'GHOSTNET_ABORTED');
  assert.equal(steps, 5);

  const again = await failureOf(finetune({ ...task, checkpoints }));
  assert.match(again.message, /unfinished training/);
  const other = await failureOf(finetune({ ...task, checkpoints, resume: true, settings: { epochs: 4 } }));
  assert.match(other.message, /of another training/);
  const resumed = await finetune({ ...task, checkpoints, resume: true });
  const straight = await finetune(task);
  for (const [name, { data }] of straight.state) assert.deepEqual(resumed.state.get(name).data, data, name);
  assert.deepEqual(resumed.scores, straight.scores);

  const broken = {
    train: [...split.train, { ...split.train[0], path: join(place, 'none.png') }],
    validation: [],
  };
  const missing = await failureOf(finetune({ ...task, split: broken }));
  assert.equal(missing.code, 'GHOSTNET_FILE_NOT_FOUND');

  const none = await finetune({ ...task, split: { ...split, validation: [] } });
  assert.equal(none.bestEpoch, 3);
  assert(Number.isNaN(none.reports[2].top1));
  return 'diverged, aborted, resumed, another training, a missing file, no validation';
}

/** Inference goes on while a network is trained. */
async function beside({ folder }) {
  const place = join(folder, 'beside');
  const split = await makePictures(join(place, 'pictures'), 40);
  const source = join(place, 'source.safetensors');
  await saveSource(source);
  const model = await GhostNet.load(source);
  const [picture] = split.validation;
  const expected = await model.classify(picture.path);
  let isDone = false;
  let runs = 0;
  const training = finetune({ model, classes, split, settings: { epochs: 3, patience: 0 } }).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    assert.deepEqual(await model.classify(picture.path), expected);
    runs += 1;
  }
  await training;
  assert(runs > 10, `${runs} runs`);
  return `${runs} pictures were classified beside it, all as before`;
}

const needsPython = () => (packages.isInstalled ? undefined : packages.install());

/** Each with its obstacle, if there is one on this machine, and whether it is left out of the quick form. */
export const finetuneChecks = [
  { name: 'float64, 20 steps as PyTorch', check: doubles, obstacle: needsPython },
  { name: 'float32, the first gradients as PyTorch', check: gradients, obstacle: needsPython },
  { name: 'repeats and resumes bit for bit', check: repeated, isLong: true },
  { name: 'learns classes of its own', check: learns, isLong: true },
  { name: 'trains branches and folds them', check: folded },
  { name: 'failures have codes, and a stop can be resumed', check: failures },
  { name: 'inference goes on beside it', check: beside },
  { name: 'kill -9 at random moments', check: killed },
];
