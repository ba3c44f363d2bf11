import { GhostNetError } from './errors.js';
import type { Given, NativeArchitecture, NativeTransform } from './native.js';

/** What a saved model says of itself beside its weights; all of it may be missing. */
export type ModelMetadata = Given<
  NativeTransform & NativeArchitecture & { readonly labels: readonly string[] }
>;

/** The key of a safetensors file's metadata under which a model describes itself, as JSON. */
const key = 'ghostnet';

/** The metadata of a saved model. Its order of keys is fixed, so that equal models give equal bytes. */
export function writeMetadata(model: ModelMetadata): Record<string, string> {
  const { variant, stages, width, numClasses, dropout, inputSize, crop, interpolation, mean, std, labels } =
    model;
  const self = {
    variant,
    stages,
    width,
    numClasses,
    dropout,
    inputSize,
    crop,
    interpolation,
    mean,
    std,
    labels,
  };
  // "format" is what PyTorch's own readers look for.
  return { format: 'pt', [key]: JSON.stringify(self) };
}

type Check = (value: unknown) => boolean;
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isString: Check = (value) => typeof value === 'string';
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

// The name of the variant is for people: the stages say what it is.
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

/**
 * What the metadata of a file says of its model; nothing when another program wrote it.
 *
 * @throws {@link GhostNetError} `GHOSTNET_MALFORMED_FILE` when it says something that can not be
 */
export function readMetadata(metadata: Readonly<Record<string, string>>, source: string): ModelMetadata {
  const text = metadata[key];
  if (text === undefined) return {};
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
    if (!Object.hasOwn(fields, field)) continue; // written by a later version: of no meaning here
    if (!fields[field as keyof typeof fields](value)) {
      throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `The metadata "${key}" of ${source} is malformed`, {
        found: `${field}: ${JSON.stringify(value).slice(0, 100)}`,
      });
    }
    known[field] = value;
  }
  return known;
}
