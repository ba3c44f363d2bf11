import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GhostNet, type EpochReport, type TrainOptions } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf, errorOf } from '../support/errors.js';
import { colours, LabelledFolder } from '../support/labelled.js';
import { bitsOf, smallStages } from '../support/models.js';
import { plain, toSharp } from '../support/pictures.js';

let scratch: string;
let source: GhostNet;
let folder: LabelledFolder;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'ghostnet-finetune-test-'));
  source = await GhostNet.create({ stages: smallStages, numClasses: 2, seed: 1, inputSize: 32, crop: 1 });
  folder = await LabelledFolder.of(['blue', 'green', 'red'], 10);
}, 60_000);
afterAll(() => {
  rmSync(scratch, { recursive: true });
  source.dispose();
  folder[Symbol.dispose]();
});

const train = (options: TrainOptions) =>
  GhostNet.train(folder.root, { from: source, mode: 'finetune', batchSize: 8, warmup: 0, ...options });

describe('GhostNet.train with mode finetune', () => {
  it('changes all layers, and makes a model that knows the classes', async () => {
    const before = bitsOf(await source.stateDict());
    const epochs: EpochReport[] = [];
    const options = { onEpoch: (epoch: EpochReport) => epochs.push(epoch) };
    const { model, metrics } = await train({
      ...options,
      epochs: 6,
      patience: 0,
      learningRate: 0.01,
      ema: 0.5,
    });
    expect(model.info.labels).toEqual(['blue', 'green', 'red']);
    expect(metrics).toMatchObject({ mode: 'finetune', trainImages: 24, images: 6, skipped: [] });
    expect(metrics.top1).toBeGreaterThan(0.6);
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(epochs.at(-1)?.trainLoss).toBeLessThan(epochs[0]?.trainLoss ?? 0);
    const made = bitsOf(await model.stateDict());
    const weights = Object.keys(before).filter((name) => name.endsWith('conv.0.weight'));
    expect(weights.every((name) => made[name]?.bits !== before[name]?.bits)).toBe(true);
    const red = toSharp(plain(40, 40, colours.red ?? [])).png();
    expect(await model.classify(await red.toBuffer())).toHaveLength(3);
    model.dispose();
    expect(bitsOf(await source.stateDict())).toEqual(before);
  });

  it('gives the same bits again, also if it was stopped and resumed', async () => {
    const settings = { epochs: 3, patience: 0, checkpointSeconds: 0 };
    const bits = async (options: TrainOptions) => {
      const { model } = await train({ ...settings, ...options });
      const state = bitsOf(await model.stateDict());
      model.dispose();
      return state;
    };
    const straight = await bits({});
    expect(await bits({})).toEqual(straight);
    const checkpoints = join(scratch, 'checkpoints');
    const stop = new AbortController();
    const stopped = bits({
      checkpoints,
      signal: stop.signal,
      onEpoch: ({ epoch }) => {
        if (epoch === 2) stop.abort();
      },
    });
    expect(await codeOf(() => stopped)).toBe('GHOSTNET_ABORTED');
    expect(existsSync(checkpoints)).toBe(true);
    expect(await bits({ checkpoints, resume: true })).toEqual(straight);
  });

  it('ends with GHOSTNET_TRAINING_DIVERGED if the loss is no number', async () => {
    const error = await errorOf(() =>
      train({ epochs: 20, optimizer: 'sgd', learningRate: 1e12, maxGradientNorm: 0 }),
    );
    expect(error.code).toBe('GHOSTNET_TRAINING_DIVERGED');
    expect(error.message).toContain('learningRate');
  });

  it.each([
    { epochs: 0 },
    { batchSize: 1 },
    { optimizer: 'adam' },
    { learningRate: -1 },
    { augment: { flip: 1 } },
    { learnRate: 1 },
  ])('checks the settings %j', async (settings) => {
    expect(await codeOf(() => train(settings as never))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});
