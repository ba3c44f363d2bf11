import { ghostModule, Tensor, type FoldedGhostModule } from 'ghostnet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { codeOf, errorOf } from '../support/errors.js';
import { differences, noise, relativeError } from '../support/numbers.js';

interface Sizes {
  readonly channels: number;
  readonly intrinsic: number;
  readonly ratio: number;
  readonly kernel: number;
  readonly cheap: number;
}

function floats(shape: readonly number[], seed: number): Tensor<'float32'> {
  return Tensor.from(
    noise(
      shape.reduce((product, length) => product * length, 1),
      seed,
    ),
    shape,
  );
}

function weightsOf({ channels, intrinsic, ratio, kernel, cheap }: Sizes): FoldedGhostModule {
  const ghosts = intrinsic * (ratio - 1);
  return {
    primary_weight: floats([intrinsic, channels, kernel, kernel], 1),
    primary_bias: floats([intrinsic], 2),
    cheap_weight: floats([ghosts, 1, cheap, cheap], 3),
    cheap_bias: floats([ghosts], 4),
  };
}

/** A convolution written out, in which each output channel covers the `inputs` channels of its group. */
function convolve(
  x: Float64Array,
  [channels, height, width]: readonly [number, number, number],
  weight: Tensor<'float32'>,
  bias: Tensor<'float32'>,
  stride: number,
  relu: boolean,
): { values: Float64Array; shape: [number, number, number] } {
  const [out = 0, inputs = 0, kernel = 0] = weight.shape;
  const padding = (kernel - 1) / 2;
  const side = (length: number) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
  const shape: [number, number, number] = [out, side(height), side(width)];
  const values = new Float64Array(out * shape[1] * shape[2]);
  let index = 0;
  for (let channel = 0; channel < out; ++channel) {
    const first = inputs === channels ? 0 : Math.floor(channel / (out / channels));
    for (let row = 0; row < shape[1]; ++row) {
      for (let column = 0; column < shape[2]; ++column) {
        let sum = bias.data[channel] ?? NaN;
        for (let input = 0; input < inputs; ++input) {
          for (let dy = 0; dy < kernel; ++dy) {
            for (let dx = 0; dx < kernel; ++dx) {
              const [y, z] = [row * stride + dy - padding, column * stride + dx - padding];
              if (y < 0 || y >= height || z < 0 || z >= width) continue;
              const factor = weight.data[((channel * inputs + input) * kernel + dy) * kernel + dx] ?? NaN;
              sum += factor * (x[((first + input) * height + y) * width + z] ?? NaN);
            }
          }
        }
        values[index++] = relu ? Math.max(0, sum) : sum;
      }
    }
  }
  return { values, shape };
}

describe('ghostModule', () => {
  it('is a convolution, the ghosts of its maps, and both one after the other', async () => {
    const sizes = fc.record({
      channels: fc.integer({ min: 2, max: 5 }),
      intrinsic: fc.integer({ min: 1, max: 6 }),
      ratio: fc.integer({ min: 2, max: 4 }),
      kernel: fc.constantFrom(1, 3),
      cheap: fc.constantFrom(1, 3, 5),
    });
    const plane = fc.integer({ min: 1, max: 9 });
    await fc.assert(
      fc.asyncProperty(
        sizes,
        plane,
        plane,
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.nat(),
        async (size, height, width, stride, relu, cut) => {
          const weights = weightsOf(size);
          const x = floats([1, size.channels, height, width], 5);
          const all = size.intrinsic * size.ratio;
          const outChannels = 1 + (cut % all);
          const primary = convolve(
            Float64Array.from(x.data),
            [size.channels, height, width],
            weights.primary_weight,
            weights.primary_bias,
            stride,
            relu,
          );
          const ghosts = convolve(
            primary.values,
            primary.shape,
            weights.cheap_weight,
            weights.cheap_bias,
            1,
            relu,
          );
          const [, rows, columns] = primary.shape;
          const expected = [...primary.values, ...ghosts.values].slice(0, outChannels * rows * columns);
          const result = await ghostModule(x, weights, { outChannels, stride, relu, threads: 1 });
          expect(result.shape).toEqual([1, outChannels, rows, columns]);
          // Inputs and weights are about 1; outputs may cancel, or be cut by ReLU, to almost nothing.
          const scale = Math.max(1, ...expected.map(Math.abs));
          expect(differences(result.data, expected).largest).toBeLessThan(1e-5 * scale);
        },
      ),
      { numRuns: 40 },
    );
  });

  const usual: Sizes = { channels: 4, intrinsic: 3, ratio: 2, kernel: 1, cheap: 3 };
  const x = floats([2, 4, 5, 6], 5);

  it('defaults to all channels, stride 1 and ReLU', async () => {
    const weights = weightsOf(usual);
    const result = await ghostModule(x, weights);
    expect(result.shape).toEqual([2, 6, 5, 6]);
    const same = await ghostModule(x, weights, { outChannels: 6, stride: 1, relu: true });
    expect(result.data).toEqual(same.data);
    expect(result.data.every((value) => value >= 0)).toBe(true);
  });

  it('folds the batch normalisations of a state dict', async () => {
    const { primary_weight, cheap_weight } = weightsOf(usual);
    const norm = (seed: number) => ({
      weight: floats([3], seed),
      bias: floats([3], seed + 1),
      running_mean: floats([3], seed + 2),
      running_var: Tensor.from(Float32Array.of(0.5, 1, 2), [3]),
    });
    const [first, second] = [norm(10), norm(20)];
    const entries = (prefix: string, values: object) =>
      Object.entries(values).map(([name, tensor]) => [`${prefix}.1.${name}`, tensor as Tensor] as const);
    const state = Object.fromEntries([
      ['primary_conv.0.weight', primary_weight as Tensor],
      ['cheap_operation.0.weight', cheap_weight as Tensor],
      ...entries('primary_conv', first),
      ...entries('cheap_operation', second),
    ]);
    const fold = (
      weight: Tensor<'float32'>,
      { weight: gamma, bias, running_mean, running_var }: typeof first,
    ) => {
      const scale = gamma.data.map((value, row) => value / Math.sqrt((running_var.data[row] ?? 0) + 1e-5));
      const perRow = weight.size / 3;
      return {
        weight: Tensor.from(
          weight.data.map((value, index) => value * (scale[Math.floor(index / perRow)] ?? 0)),
          weight.shape,
        ),
        bias: Tensor.from(
          bias.data.map((value, row) => value - (running_mean.data[row] ?? 0) * (scale[row] ?? 0)),
          [3],
        ),
      };
    };
    const primary = fold(primary_weight, first);
    const cheap = fold(cheap_weight, second);
    const folded = await ghostModule(x, {
      primary_weight: primary.weight,
      primary_bias: primary.bias,
      cheap_weight: cheap.weight,
      cheap_bias: cheap.bias,
    });
    expect(relativeError((await ghostModule(x, state)).data, folded.data)).toBeLessThan(1e-5);
  });

  describe('refuses', () => {
    const weights = weightsOf(usual);

    it.each<[string, readonly string[], string]>([
      ['a weight that is missing', ['cheap_bias'], 'cheap_bias'],
      ['no weights', Object.keys(weights), 'primary_weight'],
    ])('%s', async (_, missing, name) => {
      const kept = Object.entries(weights).filter(([weight]) => !missing.includes(weight));
      const error = await errorOf(() => ghostModule(x, Object.fromEntries(kept)));
      expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
      expect(error.message).toContain(name);
    });

    it.each<[string, object]>([
      ['weights for other channels', { primary_weight: floats([3, 5, 1, 1], 1) }],
      ['an even kernel', { primary_weight: floats([3, 4, 2, 2], 1) }],
      ['a kernel that is not square', { cheap_weight: floats([3, 1, 1, 3], 1) }],
      ['ghosts that do not divide', { cheap_weight: floats([4, 1, 3, 3], 1), cheap_bias: floats([4], 1) }],
      ['a bias of another length', { primary_bias: floats([2], 1) }],
      ['a bias of two dimensions', { cheap_bias: floats([3, 1], 1) }],
    ])('%s', async (_, change) => {
      const code = await codeOf(() => ghostModule(x, { ...weights, ...change }));
      expect(['GHOSTNET_INVALID_ARGUMENT', 'GHOSTNET_PARAMETERS_MISMATCH']).toContain(code);
    });

    it('weights that are not float32', async () => {
      const bytes = Tensor.empty('uint8', [3]) as unknown as Tensor<'float32'>;
      expect(await codeOf(() => ghostModule(x, { ...weights, primary_bias: bytes }))).toBe(
        'GHOSTNET_BAD_DTYPE',
      );
    });

    it.each<[string, object]>([
      ['no channels out', { outChannels: 0 }],
      ['more channels than there are', { outChannels: 7 }],
      ['half a channel', { outChannels: 1.5 }],
      ['stride 0', { stride: 0 }],
      ['a stride of NaN', { stride: NaN }],
      ['no thread', { threads: 0 }],
      ['too many threads', { threads: 1000 }],
    ])('%s', async (_, options) => {
      expect(await codeOf(() => ghostModule(x, weights, options))).toBe('GHOSTNET_INVALID_ARGUMENT');
    });

    it('inputs of another rank, dtype or kind', async () => {
      const of = (input: unknown) => codeOf(() => ghostModule(input as Tensor<'float32'>, weights));
      expect(await of(floats([4, 5, 6], 1))).toBe('GHOSTNET_BAD_SHAPE');
      expect(await of(Tensor.empty('float64', [1, 4, 5, 6]))).toBe('GHOSTNET_BAD_DTYPE');
      expect(await of(new Float32Array(8))).toBe('GHOSTNET_INVALID_ARGUMENT');
      expect(await of(null)).toBe('GHOSTNET_INVALID_ARGUMENT');
      const disposed = floats([1, 4, 5, 6], 1);
      disposed.dispose();
      expect(await of(disposed)).toBe('GHOSTNET_DISPOSED');
    });

    it('an input without channels, and weights for it', async () => {
      const nothing = Tensor.empty('float32', [1, 0, 5, 5]);
      const primary_weight = Tensor.empty('float32', [3, 0, 1, 1]);
      expect(await codeOf(() => ghostModule(nothing, { ...weights, primary_weight }))).toMatch(
        /^GHOSTNET_(INVALID_ARGUMENT|BAD_SHAPE)$/,
      );
    });

    it('weights that are no tensors', async () => {
      const lists = { ...weights, primary_bias: [1, 2, 3] } as unknown as FoldedGhostModule;
      const error = await errorOf(() => ghostModule(x, lists));
      expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
      expect(error.message).toContain('primary_bias');
    });
  });
});
