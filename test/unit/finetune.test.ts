import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { GhostNet } from '../../lib/model/ghostnet.js';
import { batchesOf, stepsOf } from '../../lib/training/batches.js';
import { Checkpoints, type TrainingState } from '../../lib/training/checkpoints.js';
import { finetune } from '../../lib/training/finetune.js';
import { finetuneSettings, type FinetuneSettings } from '../../lib/training/finetune-settings.js';
import { identityOf } from '../../lib/training/identity.js';
import { createPixelStore } from '../../lib/training/pixel-store.js';
import type { Sample } from '../../lib/training/types.js';
import { errorOf } from '../support/errors.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-finetune-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the settings of fine-tuning', () => {
  it('have defaults that depend on the optimiser', () => {
    expect(finetuneSettings({}, 3)).toMatchObject({
      ...{
        epochs: 10,
        batchSize: 32,
        optimizer: 'adamw',
        learningRate: 0.001,
        weightDecay: 0.05,
        threads: 3,
      },
      augment: { flip: true, leastArea: 0.35, colorJitter: 0, mixup: 0, cutmix: 0 },
    });
    const given: FinetuneSettings = { optimizer: 'sgd', augment: { mixup: 0.2 }, threads: 1 };
    expect(finetuneSettings(given, 3)).toMatchObject({
      ...{ learningRate: 0.02, weightDecay: 0.0001, threads: 1 },
      augment: { flip: true, mixup: 0.2 },
    });
  });

  it('take undefined for an option that is left out', () => {
    const given = { epochs: undefined, augment: { flip: undefined } } as unknown as FinetuneSettings;
    expect(finetuneSettings(given, 1)).toEqual(finetuneSettings({}, 1));
  });

  it.each<[string, object]>([
    ['epochs', { epochs: 0 }],
    ['batchSize', { batchSize: 1 }],
    ['optimizer', { optimizer: 'adam' }],
    ['learningRate', { learningRate: 0 }],
    ['learningRate', { learningRate: NaN }],
    ['momentum', { momentum: 1 }],
    ['weightDecay', { weightDecay: -1 }],
    ['warmup', { warmup: 1 }],
    ['labelSmoothing', { labelSmoothing: -0.1 }],
    ['ema', { ema: 1 }],
    ['maxGradientNorm', { maxGradientNorm: '1' }],
    ['patience', { patience: 0.5 }],
    ['frozenEpochs', { frozenEpochs: -1 }],
    ['seed', { seed: -1 }],
    ['threads', { threads: 257 }],
    ['maxMemoryBytes', { maxMemoryBytes: -1 }],
    ['checkpointSeconds', { checkpointSeconds: Infinity }],
    ['flip', { augment: { flip: 1 } }],
    ['leastArea', { augment: { leastArea: 0 } }],
    ['leastArea', { augment: { leastArea: 1.1 } }],
    ['colorJitter', { augment: { colorJitter: 2 } }],
    ['mixup', { augment: { mixup: -1 } }],
    ['cutmix', { augment: { cutmix: 101 } }],
    ['epoch', { epoch: 3 }],
    ['rotate', { augment: { rotate: 3 } }],
  ])('refuse a wrong %s', async (name, settings) => {
    const error = await errorOf(() => finetuneSettings(settings, 1));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(error.message).toContain(name);
  });
});

describe('the batches of an epoch', () => {
  it.each([
    [2, 32, [2]],
    [10, 5, [5, 5]],
    [12, 5, [5, 5, 2]],
    [11, 5, [5, 6]],
    [3, 2, [3]],
    [33, 32, [33]],
    [5, 2, [2, 3]],
  ])('of %i samples by %i have the sizes %j', (count, size, sizes) => {
    const order = Array.from({ length: count }, (_, index) => count - 1 - index);
    const batches = batchesOf(order, size);
    expect(batches.map((batch) => batch.length)).toEqual(sizes);
    expect(batches.flat()).toEqual(order);
    expect(stepsOf(count, size)).toBe(sizes.length);
  });
});

const state: TrainingState = {
  ...{ identity: 'a', epoch: 2, stepsDone: 3, lossSum: 0.1 + 0.2, learningRate: 1e-3, seconds: 4 },
  reports: [
    {
      ...{ epoch: 1, epochs: 9, trainLoss: 1 / 3, validationLoss: NaN, top1: NaN, learningRate: 0.1 },
      ...{ images: 7, seconds: 2 },
    },
  ],
  ...{ bestEpoch: 1, isDone: false },
};

describe('the checkpoints of a training', () => {
  const arrayOf = (value: number) =>
    new Map([
      ['w', { dtype: 'float32' as const, shape: [1], data: new Uint8Array(Float32Array.of(value).buffer) }],
    ]);
  const valueOf = (data: Uint8Array | undefined) => new Float32Array(new Uint8Array(data ?? []).buffer)[0];

  it('are read as they were written, two of them kept', async () => {
    const place = join(folder, 'two');
    const checkpoints = await Checkpoints.open(place);
    expect(await checkpoints.latest()).toBeUndefined();
    for (const value of [1, 2, 3]) await checkpoints.write({ state, arrays: arrayOf(value) });
    expect(readdirSync(place)).toEqual([
      'checkpoint-00000002.safetensors',
      'checkpoint-00000003.safetensors',
    ]);
    const latest = await (await Checkpoints.open(place)).latest();
    expect(latest?.state).toEqual(state);
    expect(valueOf(latest?.arrays.get('w')?.data)).toBe(3);
  });

  it('go on from the older one if the newest is damaged', async () => {
    const place = join(folder, 'damaged');
    const checkpoints = await Checkpoints.open(place);
    for (const value of [1, 2]) await checkpoints.write({ state, arrays: arrayOf(value) });
    truncateSync(join(place, 'checkpoint-00000002.safetensors'), 100);
    expect(valueOf((await checkpoints.latest())?.arrays.get('w')?.data)).toBe(1);
    truncateSync(join(place, 'checkpoint-00000001.safetensors'), 100);
    const error = await errorOf(() => checkpoints.latest());
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toContain('checkpoint-00000002');
  });

  it('leave nothing of a process that was killed, and other files as they are', async () => {
    const place = join(folder, 'parts');
    await Checkpoints.open(place);
    writeFileSync(join(place, '.ghostnet-0123456789ab.part'), 'half');
    writeFileSync(join(place, 'notes.txt'), 'mine');
    await Checkpoints.open(place);
    expect(readdirSync(place)).toEqual(['notes.txt']);
  });

  it('need a folder', async () => {
    writeFileSync(join(folder, 'file'), '');
    const error = await errorOf(() => Checkpoints.open(join(folder, 'file')));
    expect(error.code).toBe('GHOSTNET_FILE_UNWRITABLE');
  });
});

describe('the identity of a training', () => {
  const split = { train: [{ path: 'a', label: 0, key: 'k' }], validation: [] };
  const of = (settings: FinetuneSettings, source = 's', classes = ['a', 'b'], given = split) =>
    identityOf(source, classes, given, finetuneSettings(settings, 1));

  it('does not depend on threads, memory, the pace of checkpoints and paths', () => {
    const moved = { ...split, train: [{ path: 'b', label: 0, key: 'k' }] };
    expect(of({ threads: 2, maxMemoryBytes: 1, checkpointSeconds: 1 }, 's', ['a', 'b'], moved)).toBe(of({}));
  });

  it('depends on all else', () => {
    const other = { ...split, train: [{ path: 'a', label: 1, key: 'k' }] };
    const all = [
      of({}),
      of({ seed: 1 }),
      of({ augment: { flip: false } }),
      of({}, 't'),
      of({}, 's', ['b', 'a']),
      of({}, 's', ['a', 'b'], other),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('the decoded pictures', () => {
  it.each([
    ['in memory', 1000],
    ['in a file', 0],
  ])('%s come back as they were, and leave no file', async (_, memoryBytes) => {
    const place = mkdtempSync(join(folder, 'pixels-'));
    const store = await createPixelStore(3, 4, { memoryBytes, folder: place });
    expect(store.bytesInMemory).toBe(memoryBytes === 0 ? 0 : 144);
    for (const index of [2, 0, 1]) await store.set(index, new Uint8Array(48).fill(index + 1));
    const batch = await store.gather([1, 2, 1]);
    expect(batch.shape).toEqual([3, 4, 4, 3]);
    const bytes = new Uint8Array(batch.buffer);
    expect([...bytes].map(String).join('')).toBe('2'.repeat(48) + '3'.repeat(48) + '2'.repeat(48));
    expect(readdirSync(place)).toEqual([]);
    await store.close();
  });

  it('need a folder that can be written to', async () => {
    const error = await errorOf(() =>
      createPixelStore(3, 4, { memoryBytes: 0, folder: join(folder, 'none') }),
    );
    expect(error.code).toBe('GHOSTNET_FILE_UNWRITABLE');
  });
});

describe('a training of a few pictures', () => {
  const samples: Sample[] = [];
  beforeAll(async () => {
    for (const number of [0, 1, 2, 3]) {
      const path = join(folder, `${number}.png`);
      const create = {
        width: 40,
        height: 40,
        channels: 3 as const,
        background: { r: number * 60, g: 90, b: 20 },
      };
      await sharp({ create }).png().toFile(path);
      samples.push({ path, label: number % 2, key: String(number) });
    }
  });
  const create = () => GhostNet.create({ variant: 'ghostnet_010', inputSize: 32, numClasses: 2, seed: 1 });
  const task = { classes: ['even', 'odd'], split: { train: samples, validation: samples } };

  it('gives the same weights twice, and others with another seed', async () => {
    using model = await create();
    const ends = [];
    for (const seed of [1, 1, 2]) {
      const { state } = await finetune({
        ...task,
        model,
        settings: { epochs: 2, batchSize: 2, seed, threads: 1 },
      });
      ends.push(state.get('classifier.weight')?.data);
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2]).not.toEqual(ends[0]);
  });

  it('ends with GHOSTNET_TRAINING_DIVERGED if the loss is not finite', async () => {
    using model = await create();
    const settings = {
      epochs: 20,
      learningRate: 1e12,
      warmup: 0,
      maxGradientNorm: 0,
      optimizer: 'sgd',
    } as const;
    const error = await errorOf(() => finetune({ ...task, model, settings }));
    expect(error.code).toBe('GHOSTNET_TRAINING_DIVERGED');
    expect(error.remedy).toContain('learning rate');
  });

  it.each<[string, Partial<typeof task>]>([
    ['one class', { classes: ['one'] }],
    ['one picture', { split: { train: samples.slice(0, 1), validation: [] } }],
    [
      'a label that is no class',
      { split: { train: samples, validation: [{ path: 'x', label: 2, key: 'x' }] } },
    ],
  ])('is refused with %s', async (_, change) => {
    using model = await create();
    const error = await errorOf(() => finetune({ ...task, ...change, model, settings: {} }));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});
