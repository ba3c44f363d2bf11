import { optionsOf } from '../check/option.js';
import {
  adviceFor,
  countNotFinite,
  headAdvice,
  inSlices,
  type Checkpoint,
  type ContainerFormat,
} from '../checkpoint/index.js';
import type { NativeInspection } from '../native/addon.js';
import { abortable, runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import { elementsOf } from './finite-weights.js';
import { openKeys, type OpenOptions } from './options.js';
import { namedArrays, openWeights, type WeightsSource } from './source.js';

/** A report on a weights file, made without loading a model. */
export interface WeightsReport {
  /** The files that were read: weights, the index of several, the `config.json` beside them; none if bytes were passed. */
  readonly files: readonly string[];
  /** The container. */
  readonly format: ContainerFormat;
  /** The key under which the file holds the weights, e.g. `'state_dict_ema'`; undefined if it holds nothing else. */
  readonly wrapper: string | undefined;
  /** Why the averaged weights of the file were not taken; undefined if they were, or there are none. */
  readonly fallback: string | undefined;
  /** What was removed from the start of each key, e.g. `'module.'`; empty if nothing was. */
  readonly prefix: string;
  /** Names that were changed, without the prefix, e.g. `['classifier.1.weight', 'classifier.weight']`. */
  readonly renamed: readonly (readonly [from: string, to: string])[];
  /** Arrays that the file lacks, and that are zeros: the bias of a classifier without one. */
  readonly filled: readonly string[];
  /** A name such as `'ghostnet_100'`, `'custom'`, or undefined if the arrays are not those of a GhostNet. */
  readonly variant: string | undefined;
  /** Width multiplier. */
  readonly width: number | undefined;
  /** Number of classes. */
  readonly numClasses: number | undefined;
  /** Why the arrays are not those of a GhostNet. */
  readonly reason: string | undefined;
  /**
   * What arrays that do not fit look like, and what to do, also those beside a network that stand where its classifier would; undefined
   * if all fit, or nothing is known.
   */
  readonly advice: string | undefined;
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
  /** Arrays of a dtype that `load` rejects, such as int8 in place of float32, each with both, in words. */
  readonly mistyped: readonly string[];
  /** Arrays without a parameter in the network. */
  readonly unexpected: readonly string[];
  /** Keys that were skipped on purpose: those outside the prefix, and the counters of profilers. */
  readonly skipped: readonly string[];
  /** Floating-point arrays with values that are NaN or infinite, or would be in float32. */
  readonly notFinite: readonly string[];
}

/**
 * Describes a weights file in any supported container.
 *
 * @param source - name of pulled weights, or path, `file:` URL or content of a weights file
 * @param given - which weights of a training checkpoint to describe, and under which prefix; the limit of a file; a signal that cancels the call
 * @throws {@link GhostNetError} as {@link GhostNet.load}, if the file itself cannot be read
 */
export async function inspectWeights(source: WeightsSource, given: OpenOptions = {}): Promise<WeightsReport> {
  const options = optionsOf(given, openKeys);
  const { checkpoint, metadata, files } = await openWeights(source, options);
  const shapes = namedArrays(checkpoint);
  const found = await runJob(options, (ticket) => native().inspect(ticket, shapes, metadata));
  const counting = inSlices(countNotFinite(checkpoint.arrays), options.signal);
  const notFinite = await abortable(options.signal, counting);
  const dtypes: Record<string, number> = {};
  for (const { dtype } of shapes) dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
  const { format, wrapper, fallback, prefix, renamed, filled, skipped } = checkpoint;
  const { variant, width, numClasses, reason, missing, reshaped, unexpected } = found;
  return {
    files,
    format,
    wrapper,
    fallback,
    prefix,
    renamed,
    filled,
    variant,
    width,
    numClasses,
    reason,
    advice: adviceOn(found, checkpoint),
    dtypes,
    elements: elementsOf(checkpoint),
    metadata: checkpoint.metadata,
    missing,
    reshaped,
    mistyped: mistypedIn(checkpoint, found),
    unexpected,
    skipped,
    notFinite: [...notFinite.keys()],
  };
}

/** Weights are of a floating-point dtype and counters of an integer one; see `fill` in native/runtime/tensor_bridge.cpp. */
function mistypedIn({ arrays }: Checkpoint, { reason, unexpected }: NativeInspection): string[] {
  if (reason !== undefined) return [];
  const others = new Set(unexpected);
  return [...arrays].flatMap(([name, { dtype }]) => {
    const isFloat = dtype.includes('float');
    const isCounter = name.endsWith('.num_batches_tracked');
    if (others.has(name) || (isFloat !== isCounter && dtype !== 'bool')) return [];
    return [`${name} is ${dtype}, expected ${isCounter ? 'an integer' : 'a floating-point'} dtype`];
  });
}

function adviceOn(found: NativeInspection, { arrays, prefix, unusedHead }: Checkpoint): string | undefined {
  const faults = found.missing.length + found.reshaped.length + found.unexpected.length;
  const fits = found.reason === undefined && faults === 0;
  const advice = fits ? headAdvice(unusedHead) : adviceFor(arrays, prefix);
  if (advice === undefined) return undefined;
  return advice.remedy === undefined ? advice.looks : `${advice.looks}. ${advice.remedy}`;
}
