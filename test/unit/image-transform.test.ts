import { GhostNet, Tensor } from 'ghostnet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { smallStages } from '../support/models.js';
import { differences, noise } from '../support/numbers.js';
import { gradient } from '../support/pictures.js';

/** Python's round: half to even. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The sizes and offsets of timm's evaluation transform. */
function planCrop(inputSize: number, crop: number, height: number, width: number) {
  const shorter = Math.floor(inputSize / crop);
  const resize = (length: number, other: number) =>
    length <= other ? shorter : Math.trunc((shorter * length) / other);
  const [rows, columns] = [resize(height, width), resize(width, height)];
  const offset = (length: number) => roundHalfEven((length - inputSize) / 2);
  return { rows, columns, top: offset(rows), left: offset(columns) };
}

/** An image whose red increases to the right and whose green increases downwards. */
function ramp(width: number, height: number) {
  const across = 220 / (width - 1);
  const down = 220 / (height - 1);
  const red = (x: number) => 15 + across * x;
  const green = (y: number) => 15 + down * y;
  // With a grain of one level, the mean of many pixels is not rounded, although each pixel is.
  const grain = noise(width * height * 2);
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; ++pixel) {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    data[pixel * 3] = Math.round(red(x) + (grain[pixel * 2] ?? 0));
    data[pixel * 3 + 1] = Math.round(green(y) + (grain[pixel * 2 + 1] ?? 0));
  }
  return { image: { data, width, height }, red, green, across, down };
}

describe('preprocess', () => {
  it("takes the part of the picture that timm's rule names, to a quarter of a pixel", async () => {
    const side = fc.integer({ min: 16, max: 160 });
    await fc.assert(
      fc.asyncProperty(
        side,
        fc.double({ min: 1, max: 2, noNaN: true }),
        fc.boolean(),
        fc.integer({ min: 32, max: 48 }),
        fc.double({ min: 0.5, max: 1, noNaN: true }),
        fc.constantFrom('bilinear' as const, 'bicubic' as const),
        async (shorter, ratio, upright, inputSize, crop, interpolation) => {
          const longer = Math.round(shorter * ratio);
          const [width, height] = upright ? [shorter, longer] : [longer, shorter];
          const { image, red, green, across, down } = ramp(width, height);
          using model = await GhostNet.create({
            stages: smallStages,
            numClasses: 1,
            inputSize,
            crop,
            interpolation,
          });
          const pixels = await model.preprocess([image]);
          expect(pixels.shape).toEqual([1, inputSize, inputSize, 3]);

          const plan = planCrop(inputSize, crop, height, width);
          const scale = { x: width / plan.columns, y: height / plan.rows };
          const reach = interpolation === 'bicubic' ? 2 : 1;
          // Near the edge of the image the filter lacks neighbours and does not preserve a ramp.
          const inside = (position: number, length: number, step: number) =>
            position - reach * Math.max(1, step) >= 0 && position + reach * Math.max(1, step) <= length - 1;
          let [shiftX, shiftY, count] = [0, 0, 0];
          for (let row = 0; row < inputSize; ++row) {
            for (let column = 0; column < inputSize; ++column) {
              const x = (plan.left + column + 0.5) * scale.x - 0.5;
              const y = (plan.top + row + 0.5) * scale.y - 0.5;
              if (!inside(x, width, scale.x) || !inside(y, height, scale.y)) continue;
              const at = (row * inputSize + column) * 3;
              shiftX += ((pixels.data[at] ?? NaN) - red(x)) / (across * scale.x);
              shiftY += ((pixels.data[at + 1] ?? NaN) - green(y)) / (down * scale.y);
              ++count;
            }
          }
          expect(count).toBeGreaterThan(50);
          expect(Math.abs(shiftX / count)).toBeLessThan(0.25);
          expect(Math.abs(shiftY / count)).toBeLessThan(0.25);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leaves a picture of the right size as it is', async () => {
    const picture = gradient(40, 40);
    for (const interpolation of ['bilinear', 'bicubic'] as const) {
      using model = await GhostNet.create({
        stages: smallStages,
        numClasses: 1,
        inputSize: 40,
        crop: 1,
        interpolation,
      });
      expect((await model.preprocess([picture])).data).toEqual(picture.data);
    }
  });

  it('handles each picture of a batch on its own, in their order', async () => {
    using model = await GhostNet.create({ stages: smallStages, numClasses: 1, inputSize: 48 });
    const pictures = [gradient(60, 80), gradient(100, 50), gradient(33, 33), gradient(2, 3)];
    const together = await model.preprocess(pictures);
    expect(together.shape).toEqual([4, 48, 48, 3]);
    for (const [index, picture] of pictures.entries()) {
      const alone = await model.preprocess([picture]);
      const length = 48 * 48 * 3;
      expect(together.data.subarray(index * length, (index + 1) * length)).toEqual(alone.data);
    }
  });

  it('gives a batch of one for a picture that is in no list', async () => {
    using model = await GhostNet.create({ stages: smallStages, numClasses: 1, inputSize: 48 });
    const picture = gradient(60, 80);
    for (const alone of [picture, Tensor.from(picture.data, [80, 60, 3])]) {
      const pixels = await model.preprocess(alone);
      expect(pixels.shape).toEqual([1, 48, 48, 3]);
      expect(pixels.data).toEqual((await model.preprocess([alone])).data);
    }
  });

  it('gives an empty batch for no picture', async () => {
    using model = await GhostNet.create({ stages: smallStages, numClasses: 1 });
    expect((await model.preprocess([])).shape).toEqual([0, 224, 224, 3]);
  });

  it('filters what it makes smaller: no aliases', async () => {
    const [width, height] = [512, 512];
    const stripes = Uint8Array.from({ length: width * height * 3 }, (_, index) =>
      Math.floor(index / 3) % 2 === 0 ? 0 : 255,
    );
    using model = await GhostNet.create({ stages: smallStages, numClasses: 1, inputSize: 50, crop: 1 });
    const { data } = await model.preprocess([{ data: stripes, width, height }]);
    expect(differences(data, new Uint8Array(data.length).fill(128)).largest).toBeLessThan(24);
  });
});
