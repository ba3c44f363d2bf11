import { GhostNet } from '../../dist/index.mjs';
import { runJob } from '../../dist/native/jobs.js';
import { native } from '../../dist/native/load.js';

/** The parts of a step that both sides compute. */
export const recipe = {
  learningRate: 0.001,
  weightDecay: 0.05,
  labelSmoothing: 0.1,
  ema: 0.99,
  maxGradientNorm: 1,
};

const none = { flip: false, leastArea: 1, colorJitter: 0, mixup: 0, cutmix: 0 };

/** The seconds of each step of our trainer. @param augment - how the pictures are changed, if they are */
export async function ourSeconds(
  { width, classes, side, batch, threads, warmups, steps, seed },
  augment = none,
) {
  const variant = `ghostnet_${String(Math.round(width * 100)).padStart(3, '0')}`;
  const model = await GhostNet.create({ variant, numClasses: classes, inputSize: side, seed });
  const { stages, dropout, mean, std, interpolation } = model.info;
  const state = await model.stateDict();
  const arrays = Array.from(state, ([name, { dtype, shape, data }]) => {
    return { name: `model.${name}`, dtype, shape, data: new Uint8Array(data.buffer) };
  });
  const totalSteps = warmups + steps;
  const trainer = await runJob({}, (ticket) =>
    native().createTrainer(ticket, arrays, {
      ...{ stages, width, dropout, numClasses: classes, inputSize: side, crop: 1, interpolation, mean, std },
      ...{
        ...recipe,
        ...augment,
        optimizer: 'adamw',
        momentum: 0,
        warmupSteps: 0,
        totalSteps,
        seed,
        threads,
      },
      dtype: 'float32',
    }),
  );
  // Random crops come from pictures that are larger, as in a training.
  const stored = augment.leastArea < 1 ? Math.floor(side / 0.875) : side;
  const pixels = new (native().NativeTensor)('uint8', [batch, stored, stored, 3]);
  const bytes = new Uint8Array(pixels.buffer);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = Math.imul(index, 2654435761) >>> 24;
  const samples = Array.from({ length: batch }, (_, row) => row);
  const labels = samples.map((row) => row % classes);
  const seconds = [];
  for (let step = 0; step < totalSteps; step += 1) {
    const begin = performance.now();
    await runJob({}, (ticket) =>
      trainer.step(ticket, pixels, { labels, samples, epoch: 1, step, isFrozen: false }),
    );
    seconds.push((performance.now() - begin) / 1000);
  }
  trainer.dispose();
  model.dispose();
  return seconds.slice(warmups);
}
