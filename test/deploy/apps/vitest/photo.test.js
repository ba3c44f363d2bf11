import { readFileSync } from 'node:fs';
import { GhostNet, GhostNetError, Tensor } from 'ghostnet';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let model;
beforeAll(async () => {
  model = await GhostNet.load();
});
afterAll(() => model.dispose());

test('classifies a path, bytes and a Blob', async () => {
  const bytes = readFileSync('photo.jpg');
  for (const image of ['photo.jpg', bytes, new Uint8Array(bytes), new Blob([bytes])]) {
    const [best] = await model.classify(image, { topK: 1 });
    expect(best.label).toBe('ship');
  }
});

test('rejects with its error', async () => {
  const error = await model.classify('none.jpg').catch((cause) => cause);
  expect(error).toBeInstanceOf(GhostNetError);
  expect(error.code).toBe('GHOSTNET_FILE_NOT_FOUND');
});

test('works again after vi.resetModules()', async () => {
  vi.resetModules();
  const again = await import('ghostnet');
  const second = await again.GhostNet.load();
  const logits = await second.forward(again.Tensor.empty('uint8', [1, 32, 32, 3]));
  expect(logits.shape).toEqual([1, 10]);
  expect(Tensor.empty('uint8', [1]).size).toBe(1);
});
