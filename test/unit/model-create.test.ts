import { GhostNet, Tensor, type GhostNetError, type ModelInfo } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { native } from '../../lib/native/load.js';
import { families, isVariantName } from '../../lib/weights/variant-names.js';
import { errorOf } from '../support/errors.js';
import { bitsOf, smallStages } from '../support/models.js';
import { noise, relativeError } from '../support/numbers.js';

async function infoOf(options: Parameters<typeof GhostNet.create>[0]): Promise<ModelInfo> {
  using model = await GhostNet.create(options);
  return model.info;
}

describe('the variants', () => {
  it.each([
    { variant: 'ghostnet_050', width: 0.5, parameters: 2.587, multiplyAdds: 42.3 },
    { variant: 'ghostnet_100', width: 1, parameters: 5.183, multiplyAdds: 141.2 },
    { variant: 'ghostnet_130', width: 1.3, parameters: 7.359, multiplyAdds: 227 },
  ])('$variant has the size of the paper', async ({ variant, width, parameters, multiplyAdds }) => {
    const info = await infoOf({ variant });
    expect(info).toMatchObject({ variant, width, numClasses: 1000, features: 1280, inputSize: 224 });
    expect((info.parameters / 1e6).toFixed(3)).toBe(parameters.toFixed(3));
    expect((info.multiplyAdds / 1e6).toFixed(1)).toBe(multiplyAdds.toFixed(1));
  });

  it('include any other width in hundredths', async () => {
    const info = await infoOf({ variant: 'ghostnet_025', numClasses: 2 });
    expect(info).toMatchObject({ variant: 'ghostnet_025', width: 0.25 });
    expect(await infoOf({ width: 0.25, numClasses: 2 })).toEqual(info);
  });

  it('default to 1.0x with the 512 keys of its checkpoints', async () => {
    using model = await GhostNet.create();
    expect(model.info.variant).toBe('ghostnet_100');
    const state = await model.stateDict();
    expect(state.size).toBe(512);
    expect(state.get('blocks.8.3.se.conv_expand.bias')?.shape).toEqual([960]);
    expect(state.get('classifier.weight')?.shape).toEqual([1000, 1280]);
    const counters = [...state].filter(([name]) => name.endsWith('num_batches_tracked'));
    expect(counters.every(([, { dtype, shape }]) => dtype === 'int64' && shape.length === 0)).toBe(true);
    const rest = [...state].filter(([name]) => !name.endsWith('num_batches_tracked'));
    expect(rest.every(([, { dtype }]) => dtype === 'float32')).toBe(true);
  });

  it("run the reference's own example: [32,3,320,256] to [32,1000]", async () => {
    using model = await GhostNet.create({ seed: 1 });
    using input = Tensor.from(noise(32 * 3 * 320 * 256), [32, 3, 320, 256]);
    const logits = await model.forward(input);
    expect(logits.shape).toEqual([32, 1000]);
    expect(logits.data.every(Number.isFinite)).toBe(true);
    // The logits are not constants: they differ as the images do.
    expect(relativeError(logits.data.subarray(0, 1000), logits.data.subarray(1000, 2000))).toBeGreaterThan(
      1e-5,
    );
  });
});

describe('info', () => {
  it('has the transform of ImageNet by default', async () => {
    expect(await infoOf({ variant: 'ghostnet_050', numClasses: 2 })).toMatchObject({
      inputSize: 224,
      crop: 0.875,
      interpolation: 'bicubic',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      dropout: 0.2,
      labels: ['class 0', 'class 1'],
    });
  });

  it('reports the requested values', async () => {
    const options = {
      stages: smallStages,
      width: 0.5,
      numClasses: 2,
      dropout: 0,
      inputSize: 64,
      crop: 1,
      interpolation: 'bilinear',
      mean: [0.5, 0.25, 0.125],
      std: [1, 2, 4],
      labels: ['cat', 'dog'],
      threads: 1,
    } as const;
    expect(await infoOf(options)).toMatchObject({ ...options, variant: 'custom', features: 1280 });
  });

  it('counts multiply-adds at the input size', async () => {
    const at = async (inputSize: number) =>
      (await infoOf({ variant: 'ghostnet_050', numClasses: 1, inputSize })).multiplyAdds;
    // The cost of convolutions grows with the area; that of the head does not.
    expect((await at(448)) / (await at(224))).toBeCloseTo(4, 0);
    expect(await at(448)).toBeLessThan(4 * (await at(224)));
  });

  it('cannot be changed', async () => {
    const info = await infoOf({ variant: 'ghostnet_050', numClasses: 2 });
    expect(Object.isFrozen(info)).toBe(true);
    expect(Object.isFrozen(info.labels)).toBe(true);
  });
});

describe('a stage table of your own', () => {
  it('makes the layers it names', async () => {
    using model = await GhostNet.create({ stages: smallStages, width: 0.5, numClasses: 3 });
    const state = await model.stateDict();
    const shapeOf = (name: string) => state.get(name)?.shape;
    expect(shapeOf('conv_stem.weight')).toEqual([8, 3, 3, 3]);
    expect(shapeOf('blocks.1.0.conv_dw.weight')).toEqual([24, 1, 3, 3]);
    expect(shapeOf('blocks.2.0.conv_dw.weight')).toEqual([36, 1, 5, 5]);
    expect(shapeOf('blocks.2.1.se.conv_reduce.weight')).toEqual([16, 60, 1, 1]);
    expect(shapeOf('blocks.2.1.shortcut.0.weight')).toBeUndefined();
    expect(shapeOf('blocks.3.0.se.conv_reduce.weight')).toEqual([16, 32, 1, 1]);
    expect(shapeOf('blocks.4.0.conv.weight')).toEqual([32, 24, 1, 1]);
    expect(shapeOf('conv_head.weight')).toEqual([1280, 32, 1, 1]);
    expect(shapeOf('classifier.bias')).toEqual([3]);
  });
});

describe('seed', () => {
  const options = { stages: smallStages, numClasses: 3 };
  const stateBits = async (seed?: number) => {
    using model = await GhostNet.create(seed === undefined ? options : { ...options, seed });
    return bitsOf(await model.stateDict());
  };

  it('makes the same weights again, another seed others', async () => {
    const first = await stateBits(3);
    expect(await stateBits(3)).toEqual(first);
    expect(await stateBits(4)).not.toEqual(first);
  });

  it('is drawn when left out', async () => {
    expect(await stateBits()).not.toEqual(await stateBits());
  });

  it('is not disturbed by networks that are made meanwhile', async () => {
    const expected = await stateBits(3);
    const [, found] = await Promise.all([stateBits(), stateBits(3), stateBits(9)]);
    expect(found).toEqual(expected);
  });
});

describe('an unknown variant', () => {
  it.each([
    ['ghostnetv2_10', 'ghostnetv2_100'],
    ['ghostnetv2_13', 'ghostnetv2_130'],
    ['ghostnet_99', 'ghostnet_099'],
    ['ghostnet_0', 'ghostnet_100'],
    ['ghostnetV2', 'ghostnetv2_100'],
    ['ghostnet', 'ghostnet_100'],
    ['v2', 'ghostnetv2_100'],
    ['ghostnet_v3', 'ghostnetv3_100'],
    ['GhostNetV3-050', 'ghostnetv3_050'],
    ['repghost_100', 'repghostnet_100'],
    ['repghost_058', 'repghostnet_058'],
    ['ghosnetv2_090', 'ghostnetv2_090'],
    ['ghostnetv2090', 'ghostnetv2_090'],
    ['ghostnet_1.3x', 'ghostnet_130'],
    ['ghostnetv2_0.9', 'ghostnetv2_090'],
    ['timm/ghostnetv2_90.in1k', 'ghostnetv2_090'],
    ['ghostnet_first', 'ghostnet_first_100'],
  ])('%s is told to be %s', async (variant, meant) => {
    const error = await errorOf(() => GhostNet.create({ variant }));
    expect(error).toMatchObject({ code: 'GHOSTNET_INVALID_ARGUMENT', remedy: `Did you mean ${meant}?` });
    // Native code knows the network.
    using model = await GhostNet.create({ variant: meant, numClasses: 1 });
    expect(model.info.variant).toBe(meant);
  });

  it.each(['resnet50', '', 'x', 'ghostnet_'.repeat(1000)])('%s is not guessed', async (variant) => {
    const error = await errorOf(() => GhostNet.create({ variant }));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(error.message).toContain('such as ghostnetv2_100');
    expect(error.message).not.toContain('Did you mean');
    expect(error.message.length).toBeLessThan(600);
  });

  it('would be refused by native code, which knows the same families', () => {
    const known = () => {
      native().checkSettings({ variant: 'x' });
    };
    let expected = '';
    try {
      known();
    } catch (error) {
      expected = (error as GhostNetError).expected ?? '';
    }
    const names = expected.match(/\w+_\d{3}/g) ?? [];
    expect(new Set(names.map((name) => name.replace(/_\d+$/, '')))).toEqual(new Set(families));
    expect(names.every(isVariantName)).toBe(true);
  });
});
