import { readFile } from 'node:fs/promises';

import { checkChoice, invalidArgument } from '../check/option.js';
import { readCheckpoint, weightsChoices, type Checkpoint, type WeightsChoice } from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import { pathOf, readBytes } from '../files.js';
import type { NativeArray } from '../native/addon.js';
import { findCached, findWeights, weightsRegistry, type WeightsEntry } from '../weights/index.js';
import { readMetadata, type ModelMetadata } from './metadata.js';

/**
 * The source of weights: the name of pulled weights (`'ghostnet_100'`), or the path, `file:` URL or content of a weights file.
 */
export type WeightsSource = string | URL | Uint8Array;

/** The model that ships with the package: GhostNet 0.5x, ten everyday classes; see `models/README.md`. */
export const embeddedModel = new URL('../../models/ghostnet_050_cifar10.safetensors', import.meta.url);

/** Weights in the form that native code accepts. */
export interface OpenedWeights {
  readonly checkpoint: Checkpoint;
  readonly arrays: readonly NativeArray[];
  /** The description of the model in the file, else in the registry. */
  readonly metadata: ModelMetadata;
}

/**
 * Reads weights from any source.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_NOT_PULLED`, `GHOSTNET_UNSUPPORTED_MODEL`, and the
 * errors of reading a file and a checkpoint
 */
export async function openWeights(
  source: WeightsSource,
  weights: WeightsChoice = 'auto',
): Promise<OpenedWeights> {
  checkSource(source);
  checkChoice('weights', weights, weightsChoices);
  const entry = typeof source === 'string' ? weightsRegistry.find(({ name }) => name === source) : undefined;
  // The caller may change its array while the weights are being loaded, so the array is copied.
  const bytes =
    source instanceof Uint8Array ? Uint8Array.from(source) : await readBytes(await locate(source, entry));
  const name = source instanceof Uint8Array ? `${source.byteLength} bytes` : pathOf(source);
  const checkpoint = readCheckpoint(bytes, { source: name, weights });
  const arrays = Array.from(checkpoint.arrays, ([key, array]) => ({ name: key, ...array }));
  const published = entry === undefined ? {} : await metadataOf(entry);
  return { checkpoint, arrays, metadata: { ...published, ...readMetadata(checkpoint.metadata, name) } };
}

function checkSource(source: unknown): void {
  if (typeof source === 'string' || source instanceof URL || source instanceof Uint8Array) return;
  throw invalidArgument(
    'Weights cannot be loaded from this value',
    source,
    'the name of pulled weights, a path, a file: URL, or the content of a weights file in a Uint8Array',
  );
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
