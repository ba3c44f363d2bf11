import { fileURLToPath } from 'node:url';

import { GhostNet } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { readGolden, type Golden } from '../support/golden.js';
import { differences } from '../support/numbers.js';
import { hasShared, needsShared, sharedFile } from '../support/shared.js';

type Interpolation = 'bilinear' | 'bicubic';

async function checkTransform(
  golden: Golden,
  interpolation: Interpolation,
  pathOf: (file: string) => string,
): Promise<void> {
  const keys = [...golden.arrays.keys()].filter((key) => key.endsWith(`|${interpolation}`));
  expect(keys).not.toEqual([]);
  for (const key of keys) {
    const [file = '', inputSize, crop] = key.split('|');
    using model = await GhostNet.create({
      variant: 'ghostnet_050',
      numClasses: 1,
      inputSize: Number(inputSize),
      crop: Number(crop),
      interpolation,
    });
    const pixels = await model.preprocess([pathOf(file)]);
    expect(pixels.shape).toEqual([1, ...(golden.arrays.get(key)?.shape ?? [])]);
    const { mean, largest } = differences(pixels.data, golden.arrays.get(key)?.data ?? []);
    expect(mean, `mean difference of ${key}`).toBeLessThanOrEqual(0.02);
    expect(largest, `largest difference of ${key}`).toBeLessThanOrEqual(2);
  }
}

describe('pictures resized and cropped as by PIL', () => {
  const small = readGolden(new URL('data/transform.safetensors', import.meta.url));
  it.each<Interpolation>(['bicubic', 'bilinear'])('small pictures, %s', async (interpolation) => {
    await checkTransform(small, interpolation, (file) =>
      fileURLToPath(new URL(`data/${file}`, import.meta.url)),
    );
  });

  it.skipIf(!hasShared).each<Interpolation>(['bicubic', 'bilinear'])(
    `photographs, %s${needsShared}`,
    async (interpolation) => {
      await checkTransform(
        readGolden(sharedFile('golden/transform_pil.safetensors')),
        interpolation,
        (file) => sharedFile(`images/photos/${file}`),
      );
    },
  );
});
