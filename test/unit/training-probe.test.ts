import { describe, expect, it } from 'vitest';

import { native } from '../../lib/native/load.js';
import type { NativeProbeFit, NativeProbeTask, NativeTensor } from '../../lib/native/addon.js';
import type { Embeddings } from '../../lib/training/embeddings.js';
import { fitProbe, penalties } from '../../lib/training/probe.js';
import type { NamedSample } from '../../lib/training/samples.js';
import type { EpochReport } from '../../lib/training/types.js';
import { codeOf } from '../support/errors.js';
import { hexOf } from '../support/models.js';
import { noise, relativeError } from '../support/numbers.js';

const [features, classes, rows] = [6, 3, 90];
const tensor = (dtype: 'float32' | 'int32', shape: number[], values: ArrayBufferView): NativeTensor =>
  new (native().NativeTensor)(dtype, shape, values);
const floats = ({ buffer }: NativeTensor) => new Float32Array(buffer);
const doubles = ({ buffer }: NativeTensor) => new Float64Array(buffer);

/** Embeddings of three classes that overlap, far from the origin and of unequal scales. */
const labels = Int32Array.from({ length: rows }, (_, row) => row % classes);
const embeddings = (() => {
  const values = noise(rows * features, 3);
  return values.map((value, at) => {
    const [row, feature] = [Math.floor(at / features), at % features];
    const own = feature === (labels[row] ?? 0) ? 0.8 : 0;
    return 5 + (feature + 1) * (value + own);
  });
})();

function taskOf(options: Partial<NativeProbeTask> = {}): NativeProbeTask {
  return {
    embeddings: tensor('float32', [rows, features], embeddings),
    labels: tensor('int32', [rows], labels),
    validation: tensor('float32', [2, features], embeddings.slice(0, 2 * features)),
    classes,
    l2: 0.01,
    mostSteps: 1000,
    tolerance: 1e-9,
    threads: 2,
    ...options,
  };
}
const fit = (options?: Partial<NativeProbeTask>): Promise<NativeProbeFit> =>
  native().fitProbe(native().newTicket(), taskOf(options));

/** As native/training/softmax_loss.h says: embeddings less their mean, divided so that their mean variance is 1. */
function scaled(): { values: Float64Array; mean: number[]; deviation: number } {
  const mean = Array.from({ length: features }, (_, feature) => {
    let sum = 0;
    for (let row = 0; row < rows; ++row) sum += embeddings[row * features + feature] ?? 0;
    return sum / rows;
  });
  const centred = Float64Array.from(embeddings, (value, at) => value - (mean[at % features] ?? 0));
  const deviation = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0) / (rows * features));
  return { values: centred.map((value) => value / deviation), mean, deviation };
}

/** The loss of parameters [classes,features+1] and its gradient, written out. */
function lossOf(parameters: Float64Array, l2: number): { loss: number; gradient: Float64Array } {
  const { values } = scaled();
  const width = features + 1;
  const gradient = new Float64Array(classes * width);
  let loss = 0;
  for (let row = 0; row < rows; ++row) {
    const x = [...values.subarray(row * features, (row + 1) * features), 1];
    const logits = Array.from({ length: classes }, (_, k) =>
      x.reduce((sum, value, at) => sum + value * (parameters[k * width + at] ?? 0), 0),
    );
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    loss -= ((logits[labels[row] ?? 0] ?? 0) - total) / rows;
    for (let k = 0; k < classes; ++k) {
      const error = Math.exp((logits[k] ?? 0) - total) - Number(labels[row] === k);
      for (const [at, value] of x.entries())
        gradient[k * width + at] = (gradient[k * width + at] ?? 0) + (error * value) / rows;
    }
  }
  for (let k = 0; k < classes; ++k) {
    for (let at = 0; at < features; ++at) {
      const weight = parameters[k * width + at] ?? 0;
      loss += (l2 / 2) * weight * weight;
      gradient[k * width + at] = (gradient[k * width + at] ?? 0) + l2 * weight;
    }
  }
  return { loss, gradient };
}

/** The minimum by plain gradient descent, which shares nothing with L-BFGS. */
function descended(l2: number): Float64Array {
  const parameters = new Float64Array(classes * (features + 1));
  for (let step = 0; step < 60_000; ++step) {
    const { gradient } = lossOf(parameters, l2);
    for (const [at, value] of gradient.entries()) parameters[at] = (parameters[at] ?? 0) - 0.5 * value;
    if (gradient.every((value) => Math.abs(value) < 1e-10)) break;
  }
  return parameters;
}

const largest = (values: Float64Array) => Math.max(...values.map(Math.abs));

describe('the fit of a probe', () => {
  it.each([1, 0.1, 0.01])('is at the minimum of the loss with the penalty %d', async (l2) => {
    const { parameters, loss, largestDerivative } = await fit({ l2 });
    const here = lossOf(doubles(parameters), l2);
    expect(largest(here.gradient)).toBeLessThan(1e-7);
    expect(Math.abs(largestDerivative - largest(here.gradient))).toBeLessThan(1e-12);
    expect(Math.abs(loss - here.loss)).toBeLessThan(1e-12);
  });

  it('is where gradient descent ends', async () => {
    const expected = descended(0.1);
    const { parameters } = await fit({ l2: 0.1 });
    const found = doubles(parameters);
    // The biases may be moved together: the softmax is the same.
    const width = features + 1;
    const centred = (values: Float64Array) => {
      const mean = [0, 1, 2].reduce((sum, k) => sum + (values[k * width + features] ?? 0), 0) / classes;
      return values.map((value, at) => (at % width === features ? value - mean : value));
    };
    expect(relativeError(centred(found), centred(expected))).toBeLessThan(1e-5);
  });

  it('gives weights for embeddings as they are, and the softmax of those', async () => {
    const { weight, bias, scores, parameters } = await fit();
    const { mean, deviation } = scaled();
    const width = features + 1;
    const [found, biases] = [floats(weight), floats(bias)];
    for (let k = 0; k < classes; ++k) {
      let offset = doubles(parameters)[k * width + features] ?? 0;
      for (let at = 0; at < features; ++at) {
        const expected = (doubles(parameters)[k * width + at] ?? 0) / deviation;
        offset -= expected * (mean[at] ?? 0);
        expect(found[k * features + at]).toBeCloseTo(expected, 5);
      }
      expect(biases[k]).toBeCloseTo(offset, 4);
    }
    for (let row = 0; row < 2; ++row) {
      const powers = Array.from({ length: classes }, (_, k) => {
        let logit = biases[k] ?? 0;
        for (let at = 0; at < features; ++at)
          logit += (found[k * features + at] ?? 0) * (embeddings[row * features + at] ?? 0);
        return Math.exp(logit);
      });
      const sum = powers.reduce((total, power) => total + power, 0);
      const softmax = floats(scores).subarray(row * classes, (row + 1) * classes);
      expect(
        relativeError(
          softmax,
          powers.map((power) => power / sum),
        ),
      ).toBeLessThan(1e-4);
    }
  });

  it('has the same bits for any number of threads', async () => {
    const bits = async (threads: number) => {
      const { weight, bias, parameters, scores } = await fit({ threads });
      return [weight, bias, parameters, scores].map(({ buffer }) => hexOf(new Uint8Array(buffer)));
    };
    const expected = await bits(1);
    for (const threads of [1, 2, 3, 8]) expect(await bits(threads)).toEqual(expected);
  });

  it('goes on from another fit, to the same minimum', async () => {
    const first = await fit({ l2: 0.02 });
    const { parameters: start, covariance } = first;
    const [fresh, warm] = [await fit({ l2: 0.015 }), await fit({ l2: 0.015, start, covariance })];
    const again = await fit({ l2: 0.02, start, covariance });
    expect(again.evaluations).toBeLessThan(first.evaluations / 3);
    expect(Math.abs(warm.loss - fresh.loss)).toBeLessThan(1e-9);
  });

  it.each<[string, Partial<NativeProbeTask>, string]>([
    ['a label beyond the classes', { classes: 2 }, 'GHOSTNET_INVALID_ARGUMENT'],
    ['one class', { classes: 1 }, 'GHOSTNET_INVALID_ARGUMENT'],
    ['a negative penalty', { l2: -1 }, 'GHOSTNET_INVALID_ARGUMENT'],
    ['a penalty that is no number', { l2: NaN }, 'GHOSTNET_INVALID_ARGUMENT'],
    ['labels of another length', { labels: tensor('int32', [2], Int32Array.of(0, 1)) }, 'GHOSTNET_BAD_SHAPE'],
    [
      'labels of another dtype',
      { labels: tensor('float32', [rows], new Float32Array(rows)) },
      'GHOSTNET_BAD_DTYPE',
    ],
    [
      'no embeddings',
      { embeddings: tensor('float32', [0, features], new Float32Array(0)) },
      'GHOSTNET_BAD_SHAPE',
    ],
    [
      'validation of another width',
      { validation: tensor('float32', [1, 2], new Float32Array(2)) },
      'GHOSTNET_BAD_SHAPE',
    ],
    ['no steps', { mostSteps: 0 }, 'GHOSTNET_INVALID_ARGUMENT'],
  ])('is refused with %s', async (_, options, code) => {
    expect(await codeOf(() => fit(options))).toBe(code);
  });

  it('of equal embeddings knows only how frequent the classes are', async () => {
    const equal = tensor('float32', [4, features], new Float32Array(4 * features).fill(2));
    const fitted = await fit({
      embeddings: equal,
      labels: tensor('int32', [4], Int32Array.of(0, 0, 0, 1)),
      classes: 2,
      validation: equal,
    });
    expect(floats(fitted.scores)[0]).toBeCloseTo(0.75, 5);
  });
});

describe('the probe of a data set', () => {
  const samples = Array.from(labels, (label, row): NamedSample => {
    return { name: `${row}`, path: `${row}`, label, key: `${row}` };
  });
  const known: Embeddings = new Map(
    samples.map(({ key }, row) => [key, embeddings.slice(row * features, (row + 1) * features)]),
  );
  const parts = { train: samples.slice(0, 60), validation: samples.slice(60) };
  const options = { classes: ['a', 'b', 'c'], features, l2: undefined, threads: 1 };

  it('takes the penalty with the lowest loss on the validation images, and tries no more than it must', async () => {
    const reports: EpochReport[] = [];
    const probe = await fitProbe(parts, known, { ...options, onEpoch: (report) => reports.push(report) });
    expect(reports.map(({ l2 }) => l2)).toEqual(penalties.slice(0, reports.length));
    const best = reports.reduce((a, b) => (b.validationLoss < a.validationLoss ? b : a));
    expect(probe.l2).toBe(best.l2);
    expect(probe.evaluation.loss).toBe(best.validationLoss);
    expect(reports.length).toBeLessThan(penalties.length);
    expect(reports.length).toBe(reports.indexOf(best) + 3);
    expect(probe.largestDerivative).toBeLessThan(1e-5);
  });

  it('takes a penalty that is given', async () => {
    const probe = await fitProbe(parts, known, { ...options, l2: 0.5 });
    expect(probe.l2).toBe(0.5);
    expect(probe.reports).toHaveLength(1);
  });

  it('needs no validation images', async () => {
    const probe = await fitProbe({ train: samples, validation: [] }, known, options);
    expect(probe.evaluation).toMatchObject({ images: 0, top1: NaN });
    expect(probe.weight).toHaveLength(classes * features);
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const fitting = fitProbe(parts, known, {
      ...options,
      signal: stop.signal,
      onEpoch: () => {
        stop.abort();
      },
    });
    expect(await codeOf(() => fitting)).toBe('GHOSTNET_ABORTED');
  });
});
