/** The precisions that a model can compute in. The build generates the names of the C++ side from this line. */
export const precisions = ['float32', 'tf32', 'float16', 'bfloat16'] as const;

/**
 * The number type in which the engine stores activations and the weights of convolutions. Sums are float32 in all of them.
 *
 * - `'float32'` runs everywhere.
 * - `'tf32'` is float32, except that the factors of 1x1 convolutions are rounded to 10 bits after the point: needs a GPU.
 * - `'float16'` needs a GPU.
 * - `'bfloat16'` needs a GPU, or a processor with AVX512_BF16.
 */
export type Precision = (typeof precisions)[number];
