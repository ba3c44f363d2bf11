/** What a model can compute in. */
export const precisions = ['float32', 'tf32', 'float16', 'bfloat16'] as const;

/**
 * What the engine stores activations and the weights of convolutions in; it adds up in float32 in any case.
 *
 * - `'float32'` runs everywhere.
 * - `'tf32'` is float32 but for what 1x1 convolutions multiply, rounded to 10 bits behind the point: needs a GPU.
 * - `'float16'` needs a GPU.
 * - `'bfloat16'` needs a GPU, or a processor with AVX512_BF16.
 */
export type Precision = (typeof precisions)[number];
