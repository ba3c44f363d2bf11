import type { NativeProbeFit, NativeProbeTask, NativeTensor } from '../native/addon.js';
import { runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import type { Embeddings } from './embeddings.js';
import { evaluate, type Evaluation } from './metrics.js';
import type { NamedSample } from './samples.js';
import type { Divided } from './split.js';
import type { EpochReport } from './types.js';

/** What a probe is fitted to, and how. */
export interface ProbeOptions {
  readonly classes: readonly string[];
  readonly features: number;
  /** The penalty; undefined tries several, and takes that with the lowest loss on the validation images. */
  readonly l2: number | undefined;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: ((report: EpochReport) => void) | undefined;
}

/** A fitted classifier. */
export interface Probe {
  /** float32 [classes,features] */
  readonly weight: Float32Array;
  /** float32 [classes] */
  readonly bias: Float32Array;
  readonly l2: number;
  /** The largest derivative of the loss where the fit ended: near 0 at an optimum. */
  readonly largestDerivative: number;
  readonly evaluation: Evaluation;
  readonly reports: readonly EpochReport[];
}

/** The penalties that are tried, strong ones first: each fit starts from the one before. */
export const penalties: readonly number[] = [
  10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003, 0.00001,
];

/** The penalty where no validation images say which is best. */
export const defaultPenalty = 0.03;

/** Weaker penalties are not tried after so many losses that were no better. */
const patience = 2;

const tolerance = 1e-6;
const mostSteps = 1000;

/**
 * Fits a linear classifier to embeddings by L-BFGS, on threads of its own. The same images, seed and options give the same bits.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED`, `GHOSTNET_OUT_OF_MEMORY`
 */
export async function fitProbe(
  { train, validation }: Divided<NamedSample>,
  embeddings: Embeddings,
  options: ProbeOptions,
): Promise<Probe> {
  const { classes, features, signal, onEpoch } = options;
  const task = {
    embeddings: matrixOf(train, embeddings, features),
    validation: matrixOf(validation, embeddings, features),
    labels: labelsOf(train),
    classes: classes.length,
    threads: options.threads,
    mostSteps,
    tolerance,
  };
  const tried = triedPenalties(options.l2, validation.length);
  const reports: EpochReport[] = [];
  let best: Probe | undefined;
  let worse = 0;
  /** What a fit learned that the next one need not learn again. */
  let known: Pick<NativeProbeTask, 'start' | 'covariance'> = {};
  try {
    for (const [index, l2] of tried.entries()) {
      const began = performance.now();
      const given = { ...task, ...known, l2 };
      const fit = await runJob(signal === undefined ? {} : { signal }, (ticket) =>
        native().fitProbe(ticket, given),
      );
      disposeOf(known);
      known = { start: fit.parameters, covariance: fit.covariance };
      const evaluation = evaluate(validation, classes, new Float32Array(fit.scores.buffer));
      const report: EpochReport = {
        epoch: index + 1,
        epochs: tried.length,
        trainLoss: fit.loss,
        validationLoss: evaluation.loss,
        top1: evaluation.top1,
        learningRate: 0,
        images: train.length,
        seconds: (performance.now() - began) / 1000,
        l2,
      };
      reports.push(report);
      const isBetter = best === undefined || evaluation.loss < best.evaluation.loss;
      if (isBetter) best = { ...valuesOf(fit), l2, evaluation, reports };
      for (const tensor of [fit.weight, fit.bias, fit.scores]) tensor.dispose();
      onEpoch?.(report);
      worse = isBetter ? 0 : worse + 1;
      if (worse >= patience) break;
    }
  } finally {
    for (const tensor of [task.embeddings, task.validation, task.labels]) tensor.dispose();
    disposeOf(known);
  }
  if (best === undefined) throw new Error('No penalty was tried');
  return best;
}

function disposeOf({ start, covariance }: Pick<NativeProbeTask, 'start' | 'covariance'>): void {
  start?.dispose();
  covariance?.dispose();
}

function triedPenalties(l2: number | undefined, validation: number): readonly number[] {
  if (l2 !== undefined) return [l2];
  return validation === 0 ? [defaultPenalty] : penalties;
}

function valuesOf({
  weight,
  bias,
  largestDerivative,
}: NativeProbeFit): Pick<Probe, 'weight' | 'bias' | 'largestDerivative'> {
  return {
    weight: new Float32Array(weight.buffer).slice(),
    bias: new Float32Array(bias.buffer).slice(),
    largestDerivative,
  };
}

function matrixOf(samples: readonly NamedSample[], embeddings: Embeddings, features: number): NativeTensor {
  const tensor = new (native().NativeTensor)('float32', [samples.length, features]);
  const values = new Float32Array(tensor.buffer);
  for (const [row, { key }] of samples.entries()) values.set(embeddings.get(key) ?? [], row * features);
  return tensor;
}

function labelsOf(samples: readonly NamedSample[]): NativeTensor {
  const labels = Int32Array.from(samples, ({ label }) => label);
  return new (native().NativeTensor)('int32', [labels.length], labels);
}
