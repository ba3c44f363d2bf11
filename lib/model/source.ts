import { readFile } from 'node:fs/promises';
import { types } from 'node:util';

import { checkChoice, checkNumber, invalidArgument, reading } from '../check/option.js';
import {
  inSlices,
  parseCheckpoint,
  weightsChoices,
  type Checkpoint,
  type NamedArray,
} from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import { pathOf, readBytes } from '../files.js';
import { abortable, throwIfAborted } from '../native/jobs.js';
import { findCached, findWeights, weightsRegistry, type WeightsEntry } from '../weights/index.js';
import { readMetadata, type ModelMetadata } from './metadata.js';
import type { LoadOptions } from './options.js';

/**
 * The source of weights: the name of pulled weights (`'ghostnet_100'`), or the path, `file:` URL or content of a weights file.
 */
export type WeightsSource = string | URL | Uint8Array;

/** The model that ships with the package: GhostNet 0.5x, ten everyday classes; see `models/README.md`. */
export const embeddedModel = new URL('../../models/ghostnet_050_cifar10.safetensors', import.meta.url);

/** The options that concern the reading of weights. */
export type OpenOptions = Pick<LoadOptions, 'weights' | 'maxFileBytes' | 'signal'>;

/** Weights that have been read. */
export interface OpenedWeights {
  /** The source, in messages. */
  readonly name: string;
  /** The size of the file. */
  readonly bytes: number;
  readonly checkpoint: Checkpoint;
  /** The description of the model in the file, else in the registry. */
  readonly metadata: ModelMetadata;
}

/**
 * Reads weights from any source.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_NOT_PULLED`, `GHOSTNET_UNSUPPORTED_MODEL`,
 * `GHOSTNET_ABORTED`, and the errors of reading a file and a checkpoint
 */
export async function openWeights(source: WeightsSource, options: OpenOptions): Promise<OpenedWeights> {
  reading(() => {
    checkSource(source);
  });
  checkChoice('weights', options.weights, weightsChoices);
  checkNumber('maxFileBytes', options.maxFileBytes, 1);
  throwIfAborted(options);
  return abortable(options.signal, open(source, options));
}

async function open(source: WeightsSource, options: OpenOptions): Promise<OpenedWeights> {
  const { signal, weights = 'auto' } = options;
  const entry = typeof source === 'string' ? weightsRegistry.find(({ name }) => name === source) : undefined;
  const [name, bytes] = isBytes(source)
    ? [`${source.byteLength} bytes`, ownBytes(source)]
    : [reading(() => pathOf(source)), await readBytes(await locate(source, entry), options)];
  const parsing = inSlices(parseCheckpoint(bytes, { source: name, weights }), signal);
  const checkpoint = await parsing.catch((cause: unknown) => {
    throw cause instanceof RangeError ? notInMemory(name, cause) : cause;
  });
  const published = entry === undefined ? {} : await metadataOf(entry);
  const metadata = { ...published, ...readMetadata(checkpoint.metadata, name) };
  return { name, bytes: bytes.byteLength, checkpoint, metadata };
}

/** The arrays in the form that native code takes. */
export function namedArrays({ arrays }: Checkpoint): (NamedArray & { readonly name: string })[] {
  return Array.from(arrays, ([name, array]) => ({ name, ...array }));
}

// By what it is, not by instanceof: a test runner's bytes may come from another realm.
const isBytes = (source: unknown): source is Uint8Array => types.isUint8Array(source);

function checkSource(source: unknown): void {
  const isUrl = Object.prototype.toString.call(source) === '[object URL]';
  if (typeof source === 'string' || isUrl || isBytes(source)) return;
  throw invalidArgument(
    'Weights cannot be loaded from this value',
    source,
    'the name of pulled weights, a path, a file: URL, or the content of a weights file in a Uint8Array',
  );
}

/** The caller may change its array while the weights are being loaded, so the array is copied. */
function ownBytes(source: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(source);
  } catch (cause) {
    if (cause instanceof RangeError) throw notInMemory(`${source.byteLength} bytes`, cause);
    throw new GhostNetError('GHOSTNET_DISPOSED', 'The memory of the weights was transferred', { cause });
  }
}

function notInMemory(name: string, cause: RangeError): GhostNetError {
  return new GhostNetError('GHOSTNET_OUT_OF_MEMORY', `${name}: the weights do not fit in memory`, { cause });
}

async function locate(source: string | URL, entry: WeightsEntry | undefined): Promise<string | URL> {
  if (entry === undefined) return source;
  const path = await findCached(findWeights(entry.name).name);
  if (path !== undefined) return path;
  throw new GhostNetError('GHOSTNET_NOT_PULLED', `The weights ${entry.name} are not in the cache`, {
    remedy: `Run \`npx ghostnet pull ${entry.name}\`, or pass ./${entry.name} to load a file of that name.`,
  });
}

async function metadataOf(entry: WeightsEntry): Promise<ModelMetadata> {
  const { inputSize, crop, interpolation, mean, std } = entry;
  const file = new URL(`../../models/${entry.labels}.labels.json`, import.meta.url);
  const labels = JSON.parse(await readFile(file, 'utf8')) as string[];
  return { inputSize, crop, interpolation, mean, std, labels };
}
