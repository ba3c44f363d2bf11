import { countNotFinite, inSlices } from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import type { NativeModel } from '../native/addon.js';
import { abortable, runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import { notFinite } from './finite-weights.js';
import { givenOf, type LoadOptions, type ModelOptions } from './options.js';
import { namedArrays, openWeights, type OpenedWeights, type WeightsSource } from './source.js';

/** A network with weights, and the options that apply to it. */
export interface LoadedWeights {
  readonly model: NativeModel;
  /** Those of the caller over those of the file. */
  readonly options: ModelOptions;
}

/**
 * Loads weights into a network.
 *
 * @param gpu - its number; undefined for the CPU
 * @throws {@link GhostNetError} as {@link GhostNet.load}
 */
export async function loadWeights(
  source: WeightsSource,
  options: LoadOptions,
  gpu: number | undefined,
): Promise<LoadedWeights> {
  const opened = await openWeights(source, options);
  checkSizes(opened);
  const merged = { ...opened.metadata, ...givenOf(options) } as ModelOptions;
  const making = runJob(options, (ticket) =>
    native().loadModel(ticket, namedArrays(opened.checkpoint), { ...merged, gpu }),
  );
  // The counting takes its turns while another thread makes the network, and costs next to no time of its own.
  const work = options.allowNonFinite === true ? undefined : countNotFinite(opened.checkpoint.arrays);
  const counting = work === undefined ? undefined : inSlices(work, options.signal);
  counting?.catch(() => undefined);
  let model: NativeModel | undefined;
  try {
    model = await making;
    const counts = counting === undefined ? undefined : await abortable(options.signal, counting);
    if (counts !== undefined && counts.size > 0) throw notFinite(opened.name, opened.checkpoint, counts);
    checkLabels(opened, options, model.describe().numClasses);
    return { model, options: merged };
  } catch (error) {
    work?.return(new Map());
    model?.dispose();
    throw withName(error, opened.name);
  }
}

/** The bytes of all arrays that a file may have for each of its own: more only if arrays share their bytes. */
const mostShared = 2;

/** A network has memory of its own for each array, so arrays that share their bytes could need any amount. */
function checkSizes({ name, bytes, checkpoint }: OpenedWeights): void {
  let sum = 0;
  for (const { data } of checkpoint.arrays.values()) sum += data.byteLength;
  if (sum <= mostShared * bytes) return;
  throw new GhostNetError(
    'GHOSTNET_MALFORMED_FILE',
    `${name}: the arrays share their bytes, and are larger than the file`,
    { found: `${sum} bytes in a file of ${bytes}`, expected: `at most ${mostShared * bytes}` },
  );
}

/** The labels of the caller are checked later, with another code. */
function checkLabels({ name, metadata }: OpenedWeights, options: LoadOptions, numClasses: number): void {
  const { labels } = metadata;
  if (options.labels !== undefined || labels === undefined || labels.length === numClasses) return;
  throw new GhostNetError(
    'GHOSTNET_MALFORMED_FILE',
    `${name}: the number of labels does not match the number of classes`,
    {
      found: `${labels.length} labels`,
      expected: `${numClasses} labels, in the order of the logits`,
      remedy: 'Pass the option labels.',
    },
  );
}

/** The error of native code, which knows arrays but not their file. */
function withName(error: unknown, name: string): unknown {
  if (!(error instanceof GhostNetError)) return error;
  const { code, what, found, expected, remedy, cause } = error;
  if (code !== 'GHOSTNET_PARAMETERS_MISMATCH' && code !== 'GHOSTNET_BAD_DTYPE') return error;
  return new GhostNetError(code, `${name}: ${what}`, { found, expected, remedy, cause });
}
