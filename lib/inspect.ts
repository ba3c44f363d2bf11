import type { ContainerFormat } from './checkpoint/index.js';
import { runJob } from './jobs.js';
import { native } from './native.js';
import { openWeights, type WeightsSource } from './weights-source.js';

/** What can be said of a weights file without making a model of it. */
export interface WeightsReport {
  /** The kind of file. */
  readonly format: ContainerFormat;
  /** The key under which the file holds the weights, e.g. `'state_dict_ema'`; undefined where it holds nothing else. */
  readonly wrapper: string | undefined;
  /** `'ghostnet_100'` and the like, `'custom'`, or undefined when the arrays are no GhostNet's. */
  readonly variant: string | undefined;
  /** Width multiplier. */
  readonly width: number | undefined;
  /** Number of classes. */
  readonly numClasses: number | undefined;
  /** Why the arrays are no GhostNet's. */
  readonly reason: string | undefined;
  /** How many arrays there are of each dtype. */
  readonly dtypes: Readonly<Record<string, number>>;
  /** Elements of all floating-point arrays: parameters and running statistics. */
  readonly elements: number;
  /** What the file says of itself. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Parameters that the network has and the file has not. */
  readonly missing: readonly string[];
  /** Arrays of another shape than the network's, in words. */
  readonly reshaped: readonly string[];
  /** Arrays that the network has no parameter for. */
  readonly unexpected: readonly string[];
  /** Arrays that were skipped on purpose. */
  readonly skipped: readonly string[];
  /** Floating-point arrays with a NaN or an infinity. */
  readonly notFinite: readonly string[];
}

/**
 * Looks into a weights file of any container.
 *
 * @param source - name of pulled weights, path, `file:` URL or content
 * @param options - which weights of a training checkpoint to look at; a signal that drops the call while it waits
 * @throws {@link GhostNetError} as {@link GhostNet.load} when the file itself can not be read
 */
export async function inspectWeights(
  source: WeightsSource,
  options: { readonly weights?: 'auto' | 'ema' | 'raw'; readonly signal?: AbortSignal } = {},
): Promise<WeightsReport> {
  const { checkpoint, arrays, metadata } = await openWeights(source, options.weights);
  const found = await runJob(options.signal, (ticket) => native().inspect(ticket, arrays, metadata));
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
