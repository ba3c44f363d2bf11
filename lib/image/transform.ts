import type { KeysOf } from '../check/option.js';

/**
 * How images become the input of a network: the same way as in training. Defaults: the values in the weights file, else
 * 224 pixels, a crop of 0.875, bicubic, and ImageNet's mean and standard deviation.
 */
export interface TransformOptions {
  /** Side of the square input in pixels, at least 32, and 33 for GhostNetV2 and V3. */
  readonly inputSize?: number;
  /** Share of the shorter side that the input covers, above 0.01 and at most 1. */
  readonly crop?: number;
  /** How images are resized. */
  readonly interpolation?: 'bilinear' | 'bicubic';
  /** Mean of red, green and blue in [0, 1]. */
  readonly mean?: readonly [number, number, number];
  /** Standard deviation of red, green and blue in [0, 1], above 0. */
  readonly std?: readonly [number, number, number];
}

export const transformKeys = {
  inputSize: true,
  crop: true,
  interpolation: true,
  mean: true,
  std: true,
} as const satisfies KeysOf<TransformOptions>;
