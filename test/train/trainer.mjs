// The native trainer, driven step by step with pictures that a formula makes.
import { runJob } from '../../dist/native/jobs.js';
import { native } from '../../dist/native/load.js';

export const mean = [0.485, 0.456, 0.406];
export const std = [0.229, 0.224, 0.225];

/** A training without augmentation; a case changes parts of it. */
export const plain = {
  batch: 8,
  side: 64,
  steps: 20,
  totalSteps: 24,
  warmupSteps: 3,
  learningRate: 0.01,
  momentum: 0.9,
  weightDecay: 0.01,
  labelSmoothing: 0.1,
  ema: 0.9,
  maxGradientNorm: 1,
  dropout: 0.2,
  seed: 5,
  mean,
  std,
  dtype: 'float64',
};

const unchanged = { flip: false, leastArea: 1, colorJitter: 0, mixup: 0, cutmix: 0 };

/**
 * @param arrays - `[name, { dtype, shape, data }]` as a trainer's state
 * @param layers - { stages, width, numClasses }
 */
export function createTrainer(arrays, layers, training, threads = 1) {
  const list = Array.from(arrays, ([key, array]) => ({ name: key, ...array }));
  return runJob({}, (ticket) =>
    native().createTrainer(ticket, list, {
      ...{ inputSize: training.side, crop: 1, interpolation: 'bicubic', ...unchanged },
      // Native code does not read what is only of the case.
      ...training,
      ...layers,
      threads,
    }),
  );
}

/** @returns the loss of each step from `first` to before `end` */
export async function train(trainer, { batch, side }, classes, first, end) {
  const losses = [];
  for (let step = first; step < end; step += 1) {
    const pixels = new (native().NativeTensor)('uint8', [batch, side, side, 3]);
    const bytes = new Uint8Array(pixels.buffer);
    const start = step * bytes.length;
    for (let index = 0; index < bytes.length; index += 1) {
      bytes[index] = Math.imul(start + index, 2654435761) >>> 24;
    }
    const rows = Array.from({ length: batch }, (_, row) => row);
    const labels = rows.map((row) => (row * 7 + step) % classes);
    const { loss } = await runJob({}, (ticket) =>
      trainer.step(ticket, pixels, { labels, samples: rows, epoch: 1, step, isFrozen: false }),
    );
    losses.push(loss);
    pixels.dispose();
  }
  return losses;
}

/** The state of a trainer by name, as arrays. */
export async function stateOf(trainer) {
  const state = await runJob({}, (ticket) => trainer.state(ticket));
  return new Map(
    state.map(([name, { dtype, shape, buffer }]) => [name, { dtype, shape, data: new Uint8Array(buffer) }]),
  );
}

const views = { float64: Float64Array, float32: Float32Array, int64: BigInt64Array };

/** The numbers of an array. */
export function numbersOf({ dtype, data }) {
  return Array.from(new views[dtype](new Uint8Array(data).buffer), Number);
}

/** The largest difference, and the largest number of the second array. */
export function difference(first, second) {
  const [a, b] = [numbersOf(first), numbersOf(second)];
  if (a.length !== b.length) throw new Error(`${a.length} numbers and ${b.length}`);
  let most = 0;
  let largest = 0;
  for (const [index, value] of b.entries()) {
    const distance = Math.abs(a[index] - value);
    most = Number.isNaN(distance) ? Infinity : Math.max(most, distance);
    largest = Math.max(largest, Math.abs(value));
  }
  return { most, largest };
}
