import { givenOf } from '../check/option.js';
import { quote } from '../check/words.js';
import { adviceFor, countNotFinite, inSlices } from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import type { NativeModel } from '../native/addon.js';
import { abortable, runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import { notFinite } from './finite-weights.js';
import type { ModelMetadata } from './metadata.js';
import type { LoadOptions, ModelOptions } from './options.js';
import { namedArrays, openWeights, type OpenedWeights, type WeightsSource } from './source.js';

/** A network with weights, and the options that apply to it. */
export interface LoadedWeights {
  readonly model: NativeModel;
  /** Those of the caller over those of the file. */
  readonly options: ModelOptions & { readonly training?: ModelMetadata['training'] };
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
  warnOfFallback(opened);
  const merged = { ...opened.metadata, ...givenOf(options) } as LoadedWeights['options'];
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
    throw explained(error, opened, options);
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

/** Checks what is said of the classes; the labels of the caller are checked later, with another code. */
function checkLabels(
  { name, metadata, numClasses: stated }: OpenedWeights,
  options: LoadOptions,
  numClasses: number,
): void {
  const { labels } = metadata;
  if (stated !== undefined && stated !== numClasses) {
    throw new GhostNetError(
      'GHOSTNET_MALFORMED_FILE',
      `${name}: the config.json beside it is of another model`,
      {
        found: `${stated} classes, num_classes`,
        expected: `${numClasses} classes, as in the weights`,
        remedy: 'Correct the file, or move the weights to another folder.',
      },
    );
  }
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

function warnOfFallback({ name, checkpoint: { fallback } }: OpenedWeights): void {
  if (fallback === undefined) return;
  process.emitWarning(`${name}: the plain weights are used, because ${fallback}.`, {
    type: 'GhostNetWarning',
    code: 'GHOSTNET_AVERAGE_NOT_USED',
  });
}

/** The error of native code, which knows arrays but not their file, nor what other networks look like. */
function explained(
  error: unknown,
  { name, checkpoint, metadata }: OpenedWeights,
  options: LoadOptions,
): unknown {
  if (!(error instanceof GhostNetError)) return error;
  const { code, what, found, expected, remedy, cause } = error;
  // Of the arguments that native code refuses here, only this one may be a value of the file.
  if (
    code === 'GHOSTNET_INVALID_ARGUMENT' &&
    options.inputSize === undefined &&
    found === String(metadata.inputSize)
  ) {
    const how = 'Correct it in the file or in config.json, or pass the option inputSize.';
    return new GhostNetError('GHOSTNET_MALFORMED_FILE', `${name}: ${what}`, {
      found,
      expected,
      remedy: how,
      cause,
    });
  }
  if (code === 'GHOSTNET_BAD_DTYPE') {
    return new GhostNetError(code, `${name}: ${what}`, { found, expected, remedy, cause });
  }
  if (code !== 'GHOSTNET_PARAMETERS_MISMATCH') return error;
  const advice = adviceFor(checkpoint.arrays, checkpoint.prefix);
  if (advice?.remedy === undefined) {
    const looks = advice === undefined ? '' : `: ${advice.looks}`;
    const how = removalOf(found, checkpoint.prefix);
    const why = advice === undefined ? cause : error;
    return new GhostNetError(code, `${name}: ${what}${looks}`, { found, expected, remedy: how, cause: why });
  }
  // Where the reason is known, the list of what follows from it is noise; the cause has it.
  const { looks, remedy: known } = advice;
  return new GhostNetError(code, `${name}: ${what}: ${looks}`, { remedy: known, cause: error });
}

/** The line to type about arrays that are too many, if that is all. */
function removalOf(found: string | undefined, prefix: string): string | undefined {
  const [, extra] = /^\d+ unexpected: ([^,]+)/.exec(found ?? '') ?? [];
  if (extra === undefined) return undefined;
  return `Remove what is no part of the network. In Python: state.pop(${quote(prefix + extra)}), and so on for the others.`;
}
