import { checkObject } from '../check/option.js';
import type { ContainerFormat } from '../checkpoint/index.js';
import { runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import type { LoadOptions } from './options.js';
import { openWeights, type WeightsSource } from './source.js';

/** A report on a weights file, from which no model is made. */
export interface WeightsReport {
  /** The kind of file. */
  readonly format: ContainerFormat;
  /** The key under which the file holds the weights, e.g. `'state_dict_ema'`; undefined when they are all it holds. */
  readonly wrapper: string | undefined;
  /** `'ghostnet_100'` and the like, `'custom'`, or undefined when the arrays are not a GhostNet's. */
  readonly variant: string | undefined;
  /** Width multiplier. */
  readonly width: number | undefined;
  /** Number of classes. */
  readonly numClasses: number | undefined;
  /** Why the arrays are not a GhostNet's. */
  readonly reason: string | undefined;
  /** The number of arrays of each dtype. */
  readonly dtypes: Readonly<Record<string, number>>;
  /** Elements of all floating-point arrays: parameters and running statistics. */
  readonly elements: number;
  /** The metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Parameters of the network that the file lacks. */
  readonly missing: readonly string[];
  /** Arrays whose shape differs from the network's, in words. */
  readonly reshaped: readonly string[];
  /** Arrays that the network has no parameter for. */
  readonly unexpected: readonly string[];
  /** Arrays that were skipped on purpose. */
  readonly skipped: readonly string[];
  /** Floating-point arrays with a NaN or an infinity. */
  readonly notFinite: readonly string[];
}

/**
 * Reports what a weights file of any container holds.
 *
 * @param source - name of pulled weights, path, `file:` URL or content
 * @param options - the weights of a training checkpoint to look at; a signal that drops the call while it waits
 * @throws {@link GhostNetError} as {@link GhostNet.load} when the file itself cannot be read
 */
export async function inspectWeights(
  source: WeightsSource,
  options: Pick<LoadOptions, 'weights' | 'signal'> = {},
): Promise<WeightsReport> {
  checkObject('options', options);
  const { checkpoint, arrays, metadata } = await openWeights(source, options.weights);
  const found = await runJob(options, (ticket) => native().inspect(ticket, arrays, metadata));
  const dtypes: Record<string, number> = {};
  let elements = 0;
  for (const { dtype, shape } of arrays) {
    dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
    if (dtype.includes('float')) elements += shape.reduce((product, length) => product * length, 1);
  }
  const { format, wrapper, skipped } = checkpoint;
  const { variant, width, numClasses, reason, missing, reshaped, unexpected, notFinite } = found;
  return {
    format,
    wrapper,
    variant,
    width,
    numClasses,
    reason,
    dtypes,
    elements,
    metadata: checkpoint.metadata,
    missing,
    reshaped,
    unexpected,
    skipped,
    notFinite,
  };
}
