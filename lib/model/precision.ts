/** The precisions of a model. The build generates the C++ names from this line. */
export const precisions = ['float32', 'tf32', 'float16', 'bfloat16'] as const;

/**
 * The number type in which the engine stores activations and convolution weights. Sums are always float32.
 *
 * - `'float32'` runs everywhere.
 * - `'tf32'` is float32, except that the factors of 1x1 convolutions are rounded to 10 fraction bits. It needs a GPU.
 * - `'float16'` needs a GPU.
 * - `'bfloat16'` needs a GPU, or a processor with AVX512_BF16.
 */
export type Precision = (typeof precisions)[number];
