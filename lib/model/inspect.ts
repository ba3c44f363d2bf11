import { copyOf } from '../check/option.js';
import { countNotFinite, inSlices, type ContainerFormat } from '../checkpoint/index.js';
import { abortable, runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import { elementsOf } from './finite-weights.js';
import { namedArrays, openWeights, type OpenOptions, type WeightsSource } from './source.js';

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
  /** Floating-point arrays with values that are NaN or infinite, or would be in float32. */
  readonly notFinite: readonly string[];
}

/**
 * Describes a weights file in any supported container.
 *
 * @param source - name of pulled weights, or path, `file:` URL or content of a weights file
 * @param given - which weights of a training checkpoint to describe; the limit of a file; a signal that cancels the call
 * @throws {@link GhostNetError} as {@link GhostNet.load}, if the file itself cannot be read
 */
export async function inspectWeights(source: WeightsSource, given: OpenOptions = {}): Promise<WeightsReport> {
  const options = copyOf('options', given);
  const { checkpoint, metadata } = await openWeights(source, options);
  const shapes = namedArrays(checkpoint);
  const found = await runJob(options, (ticket) => native().inspect(ticket, shapes, metadata));
  const counting = inSlices(countNotFinite(checkpoint.arrays), options.signal);
  const notFinite = await abortable(options.signal, counting);
  const dtypes: Record<string, number> = {};
  for (const { dtype } of shapes) dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
  const { format, wrapper, skipped } = checkpoint;
  const { variant, width, numClasses, reason, missing, reshaped, unexpected } = found;
  return {
    format,
    wrapper,
    variant,
    width,
    numClasses,
    reason,
    dtypes,
    elements: elementsOf(checkpoint),
    metadata: checkpoint.metadata,
    missing,
    reshaped,
    unexpected,
    skipped,
    notFinite: [...notFinite.keys()],
  };
}
