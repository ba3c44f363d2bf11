import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { types } from 'node:util';

import { isRangeError, isUrl } from '../check/kinds.js';
import { plainBytes } from '../check/memory.js';
import { checkChoice, checkNumber, checkText, invalidArgument, reading } from '../check/option.js';
import {
  inSlices,
  parseCheckpoint,
  weightsChoices,
  type Checkpoint,
  type NamedArray,
} from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import { pathOf } from '../files.js';
import { abortable, throwIfAborted } from '../native/jobs.js';
import { modelsFolder } from '../package-files.js';
import {
  findCached,
  findWeights,
  remedyForName,
  weightsRegistry,
  type WeightsEntry,
} from '../weights/index.js';
import type { Overrides } from './hub-config.js';
import { readMetadata, type ModelMetadata } from './metadata.js';
import type { OpenOptions } from './options.js';
import { readOne, readWeightsFiles, type FilesOptions, type WeightsFiles } from './weights-files.js';

/**
 * The source of weights: the name of pulled weights (`'ghostnet_100'`), or the path, `file:` URL or content of a weights file. A path may
 * lead to a folder that timm or Hugging Face wrote.
 */
export type WeightsSource = string | URL | Uint8Array;

/** The model that ships with the package: GhostNet 0.5x, ten everyday classes; see `models/README.md`. */
export const embeddedModel = pathToFileURL(join(modelsFolder, 'ghostnet_050_cifar10.safetensors'));

/** Weights that have been read. */
export interface OpenedWeights {
  /** The source, in messages. */
  readonly name: string;
  /** The files that were read; none if the weights were passed. */
  readonly files: readonly string[];
  /** The size of the weights. */
  readonly bytes: number;
  readonly checkpoint: Checkpoint;
  /** The description of the model in the file, else beside it or in the registry. */
  readonly metadata: ModelMetadata;
  /** The number of classes according to a file beside the weights. */
  readonly numClasses: number | undefined;
}

/**
 * Reads weights from any source.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_NOT_PULLED`,
 * `GHOSTNET_ABORTED`, and the errors of reading a file and a checkpoint
 */
export async function openWeights(
  source: WeightsSource,
  options: OpenOptions & Overrides,
): Promise<OpenedWeights> {
  reading(() => {
    checkSource(source);
  });
  checkChoice('weights', options.weights, weightsChoices);
  if (options.prefix !== undefined) checkText('prefix', options.prefix);
  checkNumber('maxFileBytes', options.maxFileBytes, 1);
  throwIfAborted(options);
  return abortable(options.signal, open(source, options));
}

async function open(source: WeightsSource, options: OpenOptions & Overrides): Promise<OpenedWeights> {
  const own = isBytes(source) ? ownBytes(source) : undefined;
  const name = own === undefined ? reading(() => pathOf(source as string | URL)) : `${own.byteLength} bytes`;
  const entry = own === undefined ? weightsRegistry.find((known) => known.name === source) : undefined;
  const reads = own === undefined ? readNamed(name, entry, options) : readMemory(name, own, options);
  const { description, ...read } = await reads.catch((cause: unknown) => {
    throw isRangeError(cause) ? notInMemory(name, cause) : cause;
  });
  const published = entry === undefined ? {} : await metadataOf(entry);
  const stated = readMetadata(read.checkpoint.metadata, read.name);
  const metadata = { ...published, ...description?.metadata, ...stated };
  return { ...read, metadata, numClasses: description?.numClasses };
}

async function readMemory(name: string, bytes: Uint8Array, options: FilesOptions): Promise<WeightsFiles> {
  const checkpoint = await inSlices(parseCheckpoint(bytes, { ...options, source: name }), options.signal);
  return { name, files: [], bytes: bytes.byteLength, checkpoint, description: undefined };
}

async function readNamed(
  name: string,
  entry: WeightsEntry | undefined,
  options: FilesOptions,
): Promise<WeightsFiles> {
  if (entry === undefined) {
    return readWeightsFiles(name, options).catch((error: unknown) => {
      throw withSuggestion(error, name);
    });
  }
  return { ...(await readOne(await locate(entry), options, name)), name, description: undefined };
}

/** A file that is not there may have been meant as a name. */
function withSuggestion(error: unknown, name: string): unknown {
  if (!(error instanceof GhostNetError) || error.code !== 'GHOSTNET_FILE_NOT_FOUND') return error;
  const isName = /^(?:timm\/)?[\w-]+(?:\.in1k)?$/.test(name);
  const remedy = isName ? remedyForName(name) : undefined;
  if (remedy === undefined) return error;
  const { code, what, found, expected, cause } = error;
  return new GhostNetError(code, what, { found, expected, remedy, cause });
}

/** The arrays in the form that native code takes. */
export function namedArrays({ arrays }: Checkpoint): (NamedArray & { readonly name: string })[] {
  return Array.from(arrays, ([name, array]) => ({ name, ...array }));
}

// By what it is, not by instanceof: a test runner's bytes may come from another realm.
const isBytes = (source: unknown): source is Uint8Array => types.isUint8Array(source);

function checkSource(source: unknown): void {
  if (typeof source === 'string' || isUrl(source) || isBytes(source)) return;
  throw invalidArgument(
    'Weights cannot be loaded from this value',
    source,
    'the name of pulled weights, a path, a file: URL, or the content of a weights file in a Uint8Array',
  );
}

/** The caller may change its array while the weights are being loaded, so the array is copied. */
function ownBytes(source: Uint8Array): Uint8Array {
  const memory = plainBytes(source);
  if (memory === undefined) {
    throw new GhostNetError('GHOSTNET_DISPOSED', 'The memory of the weights was transferred');
  }
  try {
    return new Uint8Array(memory);
  } catch (cause) {
    throw isRangeError(cause) ? notInMemory(`${memory.byteLength} bytes`, cause) : cause;
  }
}

function notInMemory(name: string, cause: RangeError): GhostNetError {
  return new GhostNetError('GHOSTNET_OUT_OF_MEMORY', `${name}: the weights do not fit in memory`, { cause });
}

async function locate(entry: WeightsEntry): Promise<string> {
  const path = await findCached(findWeights(entry.name).name);
  if (path !== undefined) return path;
  throw new GhostNetError('GHOSTNET_NOT_PULLED', `The weights ${entry.name} are not in the cache`, {
    remedy: `Run \`npx ghostnet pull ${entry.name}\`, or pass ./${entry.name} to load a file of that name.`,
  });
}

async function metadataOf(entry: WeightsEntry): Promise<ModelMetadata> {
  const { inputSize, crop, interpolation, mean, std } = entry;
  const file = join(modelsFolder, `${entry.labels}.labels.json`);
  const labels = JSON.parse(await readFile(file, 'utf8')) as string[];
  return { inputSize, crop, interpolation, mean, std, labels };
}
