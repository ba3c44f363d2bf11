import { quote } from '../../check/words.js';
import type { NativeOutput } from '../../native/addon.js';
import { badRequest } from '../faults.js';
import type { InferenceRequest, RequestedOutput, ResponseTensor } from './types.js';

/** The outputs of a model, and what the network computes for each. */
export const outputSources = {
  logits: 'logits',
  probabilities: 'logits',
  embedding: 'features',
} as const satisfies Record<string, NativeOutput>;

export type OutputName = keyof typeof outputSources;

/** The outputs of a model with so many classes. */
export function outputNames(numClasses: number): readonly OutputName[] {
  const names = Object.keys(outputSources) as OutputName[];
  return names.filter((name) => numClasses > 0 || outputSources[name] === 'features');
}

/**
 * The outputs that a request asks for: those that it names, else all.
 *
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`
 */
export function requestedOutputs(
  { outputs, isBinary }: InferenceRequest,
  numClasses: number,
): readonly RequestedOutput[] {
  const names = outputNames(numClasses);
  if (outputs === undefined || outputs.length === 0)
    return names.map((name) => ({ name, isBinary, classes: 0 }));
  for (const { name, classes } of outputs) {
    if (!(names as readonly string[]).includes(name))
      throw badRequest('The model has no output of this name', {
        found: quote(name),
        expected: names.join(', '),
      });
    if (classes > 0 && name === 'embedding') {
      throw badRequest('The output embedding has no classes', {
        found: `the parameter classification, ${classes}`,
        expected: 'the output probabilities or logits',
      });
    }
  }
  if (new Set(outputs.map(({ name }) => name)).size !== outputs.length)
    throw badRequest('The request names an output twice', { expected: 'each once' });
  return outputs;
}

/** What the network has to compute for outputs. */
export function wantsOf(outputs: readonly RequestedOutput[]): readonly NativeOutput[] {
  const sources = outputs.map(({ name }) => outputSources[name as OutputName]);
  return (['logits', 'features'] as const).filter((source) => sources.includes(source));
}

/** Rows of what the network computed, one after another, as the outputs. */
export function responseTensors(
  outputs: readonly RequestedOutput[],
  computed: Readonly<Partial<Record<NativeOutput, Float32Array>>>,
  images: number,
  labels: readonly string[],
): ResponseTensor[] {
  return outputs.map(({ name, isBinary, classes }) => {
    const source = computed[outputSources[name as OutputName]] ?? new Float32Array();
    const length = source.length / images;
    const rows = Array.from({ length: images }, (_, row) =>
      source.subarray(row * length, (row + 1) * length),
    );
    const values = name === 'probabilities' ? rows.map(softmax) : rows;
    if (classes > 0) {
      const texts = values.flatMap((row) =>
        bestOf(row, classes).map((index) => `${row[index] ?? 0}:${index}:${labels[index] ?? ''}`),
      );
      return { name, datatype: 'BYTES', shape: [images, texts.length / images], values: texts, isBinary };
    }
    const all = new Float32Array(source.length);
    for (const [row, numbers] of values.entries()) all.set(numbers, row * length);
    return { name, datatype: 'FP32', shape: [images, length], values: all, isBinary };
  });
}

/** As the engine computes scores: in double precision, from the largest on. */
export function softmax(logits: Float32Array): Float32Array {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  const powers = new Float64Array(logits.length);
  let sum = 0;
  for (let index = 0; index < powers.length; ++index) {
    const power = Math.exp((logits[index] ?? 0) - largest);
    powers[index] = power;
    sum += power;
  }
  const scores = new Float32Array(logits.length);
  for (let index = 0; index < powers.length; ++index) scores[index] = (powers[index] ?? 0) / sum;
  return scores;
}

/** Indices of the largest values, the largest first; equal values in the order of their indices. */
export function bestOf(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  const valueAt = (position: number): number => values[best[position] ?? 0] ?? 0;
  for (const [index, value] of values.entries()) {
    if (best.length === count && value <= valueAt(count - 1)) continue;
    let place = best.length === count ? count - 1 : best.length;
    while (place > 0 && value > valueAt(place - 1)) place -= 1;
    best.splice(place, 0, index);
    best.length = Math.min(best.length, count);
  }
  return best;
}
