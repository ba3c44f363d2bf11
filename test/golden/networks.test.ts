import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { GhostNet, type Tensor } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { floatsOf, readGolden, stateFile, tensorOf } from '../support/golden.js';
import { relativeError } from '../support/numbers.js';
import { hasBfloat16, needsBfloat16 } from '../support/processor.js';
import { hasShared, needsShared, sharedFile } from '../support/shared.js';

function digest(tensors: readonly (Tensor | undefined)[]): string {
  const hash = createHash('sha256');
  for (const tensor of tensors) hash.update(tensor?.data ?? 'missing');
  return hash.digest('hex');
}

interface Case {
  readonly width: number;
  readonly num_classes: number;
}

async function checkNetwork(
  path: string | URL,
  precision: 'float32' | 'bfloat16' = 'float32',
): Promise<void> {
  const tolerance = precision === 'float32' ? 1e-5 : 2e-2;
  const golden = readGolden(path);
  const { width, num_classes } = JSON.parse(golden.metadata.case ?? '') as Case;
  using model = await GhostNet.load(stateFile(golden), { precision });
  expect(model.info).toMatchObject({ width, numClasses: num_classes, precision });
  const trainable = golden.state.filter(([name]) => !/running_(mean|var)$|num_batches_tracked$/.test(name));
  const parameters = trainable.map(([, { shape }]) => shape.reduce((product, length) => product * length, 1));
  expect(model.info.parameters).toBe(parameters.reduce((sum, count) => sum + count));

  const input = tensorOf(golden, 'input') as Tensor<'float32'>;
  const logits = await model.forward(input);
  expect(logits.shape).toEqual([input.shape[0], num_classes]);
  expect(relativeError(logits.data, floatsOf(golden, 'output'))).toBeLessThan(tolerance);
  const features = await model.embed(input);
  expect(features.shape).toEqual([input.shape[0], 1280]);
  expect(relativeError(features.data, floatsOf(golden, 'features'))).toBeLessThan(tolerance);
}

describe('networks computed in float64 by the reference', () => {
  const small = new URL('data/network.safetensors', import.meta.url);
  const large = ['net_w050_c10', 'net_w050_c7_odd', 'net_w100_c1000'];

  it('a small stage table', async () => {
    await checkNetwork(small);
  });

  it.skipIf(!hasShared).each(large)(`%s${needsShared}`, async (name) => {
    await checkNetwork(sharedFile(`golden/${name}.safetensors`));
  });

  it.skipIf(!hasBfloat16)(`a small stage table in bfloat16${needsBfloat16}`, async () => {
    await checkNetwork(small, 'bfloat16');
  });

  it.skipIf(!hasShared || !hasBfloat16).each(large)(
    `%s in bfloat16${needsShared}${needsBfloat16}`,
    async (name) => {
      await checkNetwork(sharedFile(`golden/${name}.safetensors`), 'bfloat16');
    },
  );
});

describe('the values that the reference has after torch.manual_seed', () => {
  interface Seeded {
    readonly variant: string;
    readonly numClasses: number;
    readonly seed: number;
    readonly parameters: Readonly<Record<string, string>>;
    readonly all: string;
  }
  const cases = JSON.parse(
    readFileSync(new URL('data/seeds.json', import.meta.url), 'utf8'),
  ) as readonly Seeded[];

  it.each(cases)('$variant, seed $seed', async ({ variant, numClasses, seed, parameters, all }) => {
    using model = await GhostNet.create({ variant, numClasses, seed });
    const state = await model.stateDict();
    const digests = Object.keys(parameters).map((name) => [name, digest([state.get(name)])]);
    expect(Object.fromEntries(digests)).toEqual(parameters);
    expect(digest([...state.keys()].sort().map((name) => state.get(name)))).toBe(all);
  });
});
