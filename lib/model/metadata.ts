import { GhostNetError } from '../errors.js';
import type { Given, NativeArchitecture, NativeTransform } from '../native/addon.js';

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

/** The metadata of a saved model. The order of keys is fixed, so that equal models produce equal bytes. */
export function writeMetadata(model: ModelMetadata): Record<string, string> {
  // Readers for PyTorch look for "format".
  return { format: 'pt', [key]: JSON.stringify(model, ['variant', ...Object.keys(fields)]) };
}

/**
 * The description of the model in the metadata of a file; empty if another program wrote the file.
 *
 * @throws {@link GhostNetError} `GHOSTNET_MALFORMED_FILE`
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
    if (!Object.hasOwn(fields, field)) continue; // written by a later version
    if (!fields[field as keyof typeof fields](value)) {
      throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `The metadata "${key}" of ${source} is malformed`, {
        found: `${field}: ${JSON.stringify(value).slice(0, 100)}`,
      });
    }
    known[field] = value;
  }
  return known;
}
