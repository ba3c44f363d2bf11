import { readFileSync } from 'node:fs';

import { GhostNet } from 'ghostnet';
import { expect, it } from 'vitest';

import type { NativeTrainer } from '../../lib/native/addon.js';
import { goldenCase, normOf } from '../train/golden.mjs';
import { createTrainer, stateOf, train } from '../train/trainer.mjs';

const golden = JSON.parse(readFileSync(new URL('training.json', import.meta.url), 'utf8')) as {
  readonly losses: readonly number[];
} & Record<'initial' | 'model' | 'average' | 'optimizer', number>;

it('trains as PyTorch does: 20 steps in float64', async () => {
  const { side, seed } = goldenCase;
  using model = await GhostNet.create({ variant: 'ghostnet_010', inputSize: side, numClasses: 5, seed });
  const { stages, width, numClasses } = model.info;
  const initial = Array.from(await model.stateDict(), ([name, { dtype, shape, data }]) => {
    return [`model.${name}`, { dtype, shape, data: new Uint8Array(data.buffer) }] as const;
  });
  expect(normOf(initial, 'model.')).toBeCloseTo(golden.initial, 10);
  const layers = { stages, width, numClasses };
  const trainer = (await createTrainer(initial, layers, goldenCase)) as NativeTrainer;
  const losses = await train(trainer, goldenCase, numClasses, 0, goldenCase.steps);
  for (const [step, loss] of losses.entries()) expect(loss / (golden.losses[step] ?? 0)).toBeCloseTo(1, 10);
  const state = await stateOf(trainer);
  for (const part of ['model', 'average', 'optimizer'] as const) {
    expect(normOf(state, `${part}.`) / golden[part]).toBeCloseTo(1, 10);
  }
  trainer.dispose();
});
