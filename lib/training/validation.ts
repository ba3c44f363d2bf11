import { GhostNetError } from '../errors.js';
import type { NativeModel } from '../native/addon.js';
import { runJob } from '../native/jobs.js';
import type { PixelStore } from './pixel-store.js';
import type { Sample } from './types.js';

/** How well a network does. */
export interface Evaluation {
  /** The mean cross-entropy. */
  readonly loss: number;
  /** The share of right answers, in [0, 1]. */
  readonly top1: number;
  /** [samples,classes], row by row: probabilities. */
  readonly scores: Float32Array<ArrayBuffer>;
}

/** The pictures of a run. */
const batchSize = 64;

/**
 * Classifies validation pictures, with the engine that computes the model later.
 *
 * @param store - whose pictures are as in inference
 * @throws {@link GhostNetError} `GHOSTNET_TRAINING_DIVERGED` if the scores are not finite, `GHOSTNET_ABORTED`
 */
export async function evaluate(
  model: NativeModel,
  samples: readonly Sample[],
  store: PixelStore,
  threads: number,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const classes = model.describe().numClasses;
  const scores = new Float32Array(samples.length * classes);
  let lossSum = 0;
  let right = 0;
  for (let start = 0; start < samples.length; start += batchSize) {
    const batch = samples.slice(start, start + batchSize);
    const pixels = await store.gather(batch.map((_, row) => start + row));
    const output = await runJob(signal === undefined ? {} : { signal }, (ticket) =>
      model.run(ticket, pixels, 'logits', threads),
    ).finally(() => {
      pixels.dispose();
    });
    const logits = new Float32Array(output.buffer);
    for (const [row, { label }] of batch.entries()) {
      const probabilities = softmax(logits.subarray(row * classes, (row + 1) * classes));
      scores.set(probabilities, (start + row) * classes);
      const best = probabilities.indexOf(Math.max(...probabilities));
      if (best === -1) throw diverged('scores that are NaN');
      lossSum -= Math.log(probabilities[label] ?? NaN);
      if (best === label) right += 1;
    }
    output.dispose();
  }
  return { loss: lossSum / samples.length, top1: right / samples.length, scores };
}

/** In double precision. */
function softmax(logits: Float32Array): number[] {
  const peak = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const powers = Array.from(logits, (logit) => Math.exp(logit - peak));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** @param found - in words */
export function diverged(found: string): GhostNetError {
  return new GhostNetError('GHOSTNET_TRAINING_DIVERGED', 'The training has diverged', { found });
}
