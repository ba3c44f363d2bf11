import { GhostNetError } from '../errors.js';
import type { Given, NativeArchitecture, NativeTransform } from '../native/addon.js';
import { native } from '../native/load.js';

/** The description that is saved with the weights of a model; any part of it may be missing. */
export type ModelMetadata = Given<
  NativeTransform & NativeArchitecture & { readonly labels: readonly string[] }
>;

/** The metadata key of a safetensors file that holds the description, as JSON. */
const key = 'ghostnet';

type Check = (value: unknown) => boolean;
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isString: Check = (value) => typeof value === 'string';
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

// In the order of writing. The variant precedes them and is not read: its name is for people, the stages define the network.
const fields: Record<Exclude<keyof ModelMetadata, 'variant'>, Check> = {
  stages: isListOf(isListOf(isListOf(isNumber))),
  width: isNumber,
  numClasses: isNumber,
  dropout: isNumber,
  inputSize: isNumber,
  crop: isNumber,
  interpolation: isString,
  mean: isListOf(isNumber),
  std: isListOf(isNumber),
  labels: isListOf(isString),
};

/** Enough for 200,000 labels. */
const longestText = 2 ** 22;

/** The most lists, objects and keys of a description, in which labels count that contain such a character. */
const mostParts = 100_000;

/** Whether parsing a text costs no more than its length: lists, objects and keys take far more memory than their characters. */
function isCheap(text: string): boolean {
  return text.length <= longestText && text.split(/[[{:]/, mostParts + 1).length <= mostParts;
}

/**
 * The metadata of a saved model. The order of keys is fixed, so that equal models produce equal bytes.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` if the labels are too long to be read again
 */
export function writeMetadata(model: ModelMetadata): Record<string, string> {
  const text = JSON.stringify(model, ['variant', ...Object.keys(fields)]);
  if (!isCheap(text)) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The labels of the model are too long to save', {
      found: `${text.length} characters`,
      expected: `at most ${longestText}`,
      remedy: 'Load the model with shorter labels.',
    });
  }
  // Readers for PyTorch look for "format".
  return { format: 'pt', [key]: text };
}

/**
 * The description of the model in the metadata of a file; empty if another program wrote the file.
 *
 * @throws {@link GhostNetError} `GHOSTNET_MALFORMED_FILE`
 */
export function readMetadata(metadata: Readonly<Record<string, string>>, source: string): ModelMetadata {
  const text = metadata[key];
  if (text === undefined) return {};
  if (!isCheap(text)) {
    throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `The metadata "${key}" of ${source} is too long`, {
      found: `${text.length} characters`,
      expected: `at most ${longestText}, and at most ${mostParts} lists, objects and keys`,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `The metadata "${key}" of ${source} is not JSON`, {
      cause,
    });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `The metadata "${key}" of ${source} is not an object`);
  }
  const known: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(parsed)) {
    if (!Object.hasOwn(fields, field)) continue; // written by a later version
    if (!fields[field as keyof typeof fields](value)) {
      throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `The metadata "${key}" of ${source} is malformed`, {
        found: `${field}: ${JSON.stringify(value).slice(0, 100)}`,
      });
    }
    known[field] = value;
  }
  checkRanges(known, source);
  return known;
}

/** Native code knows the ranges. A wrong value is a fault of the file here, and not of an argument. */
function checkRanges(metadata: ModelMetadata, source: string): void {
  try {
    native().checkSettings(metadata);
  } catch (cause) {
    if (!(cause instanceof GhostNetError) || cause.code !== 'GHOSTNET_INVALID_ARGUMENT') throw cause;
    const { what, found, expected } = cause;
    throw new GhostNetError(
      'GHOSTNET_MALFORMED_FILE',
      `The metadata "${key}" of ${source} is malformed: ${what}`,
      {
        found,
        expected,
        cause,
      },
    );
  }
}
