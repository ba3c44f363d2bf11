import { GhostNet, Tensor } from 'ghostnet';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hexOf } from '../support/models.js';
import { noise, noiseBytes, relativeError } from '../support/numbers.js';

let model: GhostNet;
beforeAll(async () => {
  // Other test files run at the same time, so more threads would only take turns.
  model = await GhostNet.load(undefined, { threads: 1 });
});
afterAll(() => {
  model.dispose();
});

/** The pixel values of uint8 [N,H,W,3] in the form of the network input: scaled, normalised, channels first. */
function normalised(bytes: Uint8Array, [batch, height, width]: readonly [number, number, number]) {
  const { mean, std } = model.info;
  const plane = height * width;
  const floats = new Float32Array(batch * 3 * plane);
  for (let image = 0; image < batch; ++image) {
    for (let channel = 0; channel < 3; ++channel) {
      for (let pixel = 0; pixel < plane; ++pixel) {
        const value = (bytes[(image * plane + pixel) * 3 + channel] ?? 0) / 255;
        floats[(image * 3 + channel) * plane + pixel] = (value - (mean[channel] ?? 0)) / (std[channel] ?? 1);
      }
    }
  }
  return floats;
}

describe('forward', () => {
  it('takes bytes [N,H,W,3] as it takes their normalised values [N,3,H,W]', async () => {
    const bytes = noiseBytes(2 * 64 * 48 * 3);
    const fromBytes = await model.forward(Tensor.from(bytes, [2, 64, 48, 3]));
    const fromFloats = await model.forward(Tensor.from(normalised(bytes, [2, 64, 48]), [2, 3, 64, 48]));
    expect(fromBytes.shape).toEqual([2, 10]);
    expect(relativeError(fromBytes.data, fromFloats.data)).toBeLessThan(1e-5);
  });

  it('normalises bytes with the mean and standard deviation of the model', async () => {
    using other = await GhostNet.load(undefined, { mean: [0, 0, 0], std: [1, 1, 1] });
    const bytes = noiseBytes(32 * 32 * 3);
    const floats = Float32Array.from({ length: 3 * 1024 }, (_, index) => {
      const [channel, pixel] = [Math.floor(index / 1024), index % 1024];
      return (bytes[pixel * 3 + channel] ?? 0) / 255;
    });
    const fromBytes = await other.forward(Tensor.from(bytes, [1, 32, 32, 3]));
    const fromFloats = await other.forward(Tensor.from(floats, [1, 3, 32, 32]));
    expect(relativeError(fromBytes.data, fromFloats.data)).toBeLessThan(1e-5);
  });

  it('leaves its input as it was', async () => {
    const values = noise(3 * 32 * 32);
    const input = Tensor.from(values, [1, 3, 32, 32]);
    await model.forward(input);
    expect(input.data).toEqual(values);
  });

  it.each([
    [32, 32],
    [33, 47],
    [32, 257],
    [300, 40],
  ])('takes %i x %i pixels', async (height, width) => {
    const input = Tensor.from(noise(3 * height * width), [1, 3, height, width]);
    const logits = await model.forward(input);
    expect(logits.shape).toEqual([1, 10]);
    expect(logits.data.every(Number.isFinite)).toBe(true);
    // A second run in the memory of the first gives the same bits.
    expect(hexOf((await model.forward(input)).data)).toBe(hexOf(logits.data));
  });

  it('of an image does not depend on its batch, at any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 3 }),
        fc.integer({ min: 32, max: 80 }),
        fc.integer({ min: 32, max: 80 }),
        fc.nat(),
        async (batch, height, width, seed) => {
          const image = 3 * height * width;
          const values = noise(batch * image, seed);
          const together = await model.forward(Tensor.from(values, [batch, 3, height, width]));
          for (let index = 0; index < batch; ++index) {
            const one = values.subarray(index * image, (index + 1) * image);
            const alone = await model.forward(Tensor.from(one, [1, 3, height, width]));
            const row = together.data.subarray(index * 10, (index + 1) * 10);
            expect(relativeError(row, alone.data)).toBeLessThan(1e-5);
          }
        },
      ),
      { numRuns: 6 },
    );
  });

  it('gives each call a result of its own', async () => {
    const first = Tensor.from(noise(3 * 32 * 32, 1), [1, 3, 32, 32]);
    const second = Tensor.from(noise(3 * 32 * 32, 2), [1, 3, 32, 32]);
    const before = await model.forward(first);
    const kept = hexOf(before.data);
    const after = await model.forward(second);
    expect(hexOf(after.data)).not.toBe(kept);
    expect(hexOf(before.data)).toBe(kept);
  });
});

describe('embed', () => {
  it('gives the input of the classifier', async () => {
    const input = Tensor.from(noise(2 * 3 * 64 * 64), [2, 3, 64, 64]);
    const features = await model.embed(input);
    expect(features.shape).toEqual([2, 1280]);
    expect(features.data.every((value) => value >= 0)).toBe(true);
    expect(features.data.some((value) => value > 0)).toBe(true);

    const state = await model.stateDict();
    const weight = state.get('classifier.weight')?.data as Float32Array;
    const bias = state.get('classifier.bias')?.data as Float32Array;
    const expected = Float64Array.from({ length: 20 }, (_, index) => {
      const [image, row] = [Math.floor(index / 10), index % 10];
      let sum = bias[row] ?? 0;
      for (let column = 0; column < 1280; ++column)
        sum += (weight[row * 1280 + column] ?? 0) * (features.data[image * 1280 + column] ?? 0);
      return sum;
    });
    expect(relativeError((await model.forward(input)).data, expected)).toBeLessThan(1e-5);
  });
});

describe('threads', () => {
  it('change nothing but the time', async () => {
    const input = Tensor.from(noise(2 * 3 * 96 * 96), [2, 3, 96, 96]);
    using single = await GhostNet.load(undefined, { threads: 1 });
    using several = await GhostNet.load(undefined, { threads: 3 });
    expect(single.info.threads).toBe(1);
    expect(several.info.threads).toBe(3);
    const expected = await single.forward(input);
    expect(relativeError((await several.forward(input)).data, expected.data)).toBeLessThan(1e-5);
  });
});

describe('models of the same weights', () => {
  it('can be disposed of independently', async () => {
    const input = Tensor.from(noise(3 * 32 * 32), [1, 3, 32, 32]);
    const other = await GhostNet.load(undefined, { threads: 1 });
    const expected = hexOf((await other.forward(input)).data);
    other.dispose();
    expect(hexOf((await model.forward(input)).data)).toBe(expected);
  });
});

describe('dispose', () => {
  it('lets calls that wait end well', async () => {
    const disposed = await GhostNet.load(undefined, { threads: 1 });
    const input = Tensor.from(noise(3 * 64 * 64), [1, 3, 64, 64]);
    const expected = hexOf((await model.forward(input)).data);
    const waiting = [1, 2, 3].map(() => disposed.forward(input));
    disposed.dispose();
    disposed.dispose();
    for (const logits of await Promise.all(waiting)) expect(hexOf(logits.data)).toBe(expected);
    expect(disposed.info.numClasses).toBe(10);
  });
});
