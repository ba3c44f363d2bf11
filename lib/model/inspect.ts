import { checkObject } from '../check/option.js';
import type { ContainerFormat } from '../checkpoint/index.js';
import { runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import type { LoadOptions } from './options.js';
import { openWeights, type WeightsSource } from './source.js';

/** A report on a weights file, made without loading a model. */
export interface WeightsReport {
  /** The container. */
  readonly format: ContainerFormat;
  /** The key under which the file holds the weights, e.g. `'state_dict_ema'`; undefined if it holds nothing else. */
  readonly wrapper: string | undefined;
  /** A name such as `'ghostnet_100'`, `'custom'`, or undefined if the arrays are not those of a GhostNet. */
  readonly variant: string | undefined;
  /** Width multiplier. */
  readonly width: number | undefined;
  /** Number of classes. */
  readonly numClasses: number | undefined;
  /** Why the arrays are not those of a GhostNet. */
  readonly reason: string | undefined;
  /** The number of arrays of each dtype. */
  readonly dtypes: Readonly<Record<string, number>>;
  /** The number of elements in all floating-point arrays: parameters and running statistics. */
  readonly elements: number;
  /** The metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Parameters of the network that the file lacks. */
  readonly missing: readonly string[];
  /** Arrays of the wrong shape, each with both shapes, in words. */
  readonly reshaped: readonly string[];
  /** Arrays without a parameter in the network. */
  readonly unexpected: readonly string[];
  /** Arrays that were skipped on purpose. */
  readonly skipped: readonly string[];
  /** Floating-point arrays with NaN or infinite values. */
  readonly notFinite: readonly string[];
}

/**
 * Describes a weights file in any supported container.
 *
 * @param source - name of pulled weights, or path, `file:` URL or content of a weights file
 * @param options - which weights of a training checkpoint to describe; a signal that cancels the call while it waits
 * @throws {@link GhostNetError} as {@link GhostNet.load}, if the file itself cannot be read
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
