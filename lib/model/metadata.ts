import { isCheapJson, longestJson, parseObject } from '../check/json.js';
import { GhostNetError } from '../errors.js';
import type { Given, NativeArchitecture, NativeTransform } from '../native/addon.js';
import { native } from '../native/load.js';
import { readRecord, type TrainingRecord } from '../training/record.js';

/** The description that is saved with the weights of a model; any part of it may be missing. */
export type ModelMetadata = Given<
  NativeTransform &
    NativeArchitecture & { readonly labels: readonly string[]; readonly training: TrainingRecord }
>;

/** The metadata key of a safetensors file that holds the description, as JSON. */
const key = 'ghostnet';

/** The one that holds what is known of its training. */
const trainingKey = 'ghostnet.training';

type Check = (value: unknown) => boolean;
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isString: Check = (value) => typeof value === 'string';
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

// In the order of writing. The variant precedes them and is not read: its name is for people, the stages define the network.
const fields: Record<Exclude<keyof ModelMetadata, 'variant' | 'training'>, Check> = {
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
 * The metadata of a saved model. The order of keys is fixed, so that equal models produce equal bytes.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` if the labels are too long to be read again
 */
export function writeMetadata(model: ModelMetadata): Record<string, string> {
  const text = JSON.stringify(model, ['variant', ...Object.keys(fields)]);
  if (!isCheapJson(text)) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The labels of the model are too long to save', {
      found: `${text.length} characters`,
      expected: `at most ${longestJson}`,
      remedy: 'Load the model with shorter labels.',
    });
  }
  // Readers for PyTorch look for "format".
  const { training } = model;
  return { format: 'pt', [key]: text, ...(training && { [trainingKey]: JSON.stringify(training) }) };
}

/**
 * The description of the model in the metadata of a file; empty if another program wrote the file.
 *
 * @throws {@link GhostNetError} `GHOSTNET_MALFORMED_FILE`
 */
export function readMetadata(metadata: Readonly<Record<string, string>>, source: string): ModelMetadata {
  const parsed = (name: string): Readonly<Record<string, unknown>> | undefined => {
    const text = metadata[name];
    return text === undefined ? undefined : parseObject(text, whereOf(name));
  };
  const whereOf = (name: string): string => `The metadata "${name}" of ${source}`;
  const [model, training] = [parsed(key), parsed(trainingKey)];
  return {
    ...(model && checkedMetadata(model, whereOf(key))),
    ...(training && { training: readRecord(training) }),
  };
}

/**
 * The known fields of a description, with their types and ranges checked. Others are left out: a later version may have written them.
 *
 * @param where - what holds the description, in messages
 * @throws {@link GhostNetError} `GHOSTNET_MALFORMED_FILE`
 */
export function checkedMetadata(given: Readonly<Record<string, unknown>>, where: string): ModelMetadata {
  const known: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(given)) {
    if (!Object.hasOwn(fields, field)) continue;
    if (!fields[field as keyof typeof fields](value)) throw malformedField(where, field, value);
    known[field] = value;
  }
  checkRanges(known, where);
  return known;
}

/** The error for a value of the wrong type. */
export function malformedField(where: string, field: string, value: unknown): GhostNetError {
  return new GhostNetError('GHOSTNET_MALFORMED_FILE', `${where} is malformed`, {
    found: `${field}: ${JSON.stringify(value).slice(0, 100)}`,
  });
}

/** Native code knows the ranges. A wrong value is a fault of the file here, and not of an argument. */
function checkRanges(metadata: ModelMetadata, where: string): void {
  try {
    native().checkSettings(metadata);
  } catch (cause) {
    if (!(cause instanceof GhostNetError) || cause.code !== 'GHOSTNET_INVALID_ARGUMENT') throw cause;
    const { what, found, expected } = cause;
    throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `${where} is malformed: ${what}`, {
      found,
      expected,
      cause,
    });
  }
}
