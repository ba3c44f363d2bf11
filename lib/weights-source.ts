import { readFile } from 'node:fs/promises';

import { readCheckpoint, type Checkpoint } from './checkpoint/index.js';
import { GhostNetError } from './errors.js';
import { pathOf, readBytes } from './files.js';
import { readMetadata, type ModelMetadata } from './metadata.js';
import type { NativeBytes } from './native.js';
import { findCached, findWeights, weightsRegistry, type WeightsEntry } from './weights/index.js';

/**
 * Where weights come from: the name of published weights that were pulled (`'ghostnet_100'`), the path or `file:` URL of a
 * file, or its content.
 */
export type WeightsSource = string | URL | Uint8Array;

/** Weights that were read, as native code takes them. */
export interface OpenedWeights {
  /** For messages. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
  readonly arrays: readonly (NativeBytes & { readonly name: string })[];
  /** What the file, or the registry, says of the model. */
  readonly metadata: ModelMetadata;
}

/**
 * Reads weights from wherever they are.
 *
 * @throws {@link GhostNetError} `GHOSTNET_NOT_PULLED`, `GHOSTNET_UNSUPPORTED_MODEL`, and what reading a file and a
 * checkpoint throw
 */
export async function openWeights(
  source: WeightsSource,
  weights: 'auto' | 'ema' | 'raw' = 'auto',
): Promise<OpenedWeights> {
  checkSource(source);
  checkChoice(weights);
  const entry = typeof source === 'string' ? weightsRegistry.find(({ name }) => name === source) : undefined;
  // A caller's own array is copied: it may be written to while the weights are being loaded.
  const bytes =
    source instanceof Uint8Array ? Uint8Array.from(source) : await readBytes(await locate(source, entry));
  const name = source instanceof Uint8Array ? `${source.byteLength} bytes` : pathOf(source);
  const checkpoint = readCheckpoint(bytes, { source: name, weights });
  const arrays: (NativeBytes & { name: string })[] = [];
  for (const [key, array] of checkpoint.arrays) arrays.push({ name: key, ...array });
  const published = entry === undefined ? {} : await metadataOf(entry);
  return { name, checkpoint, arrays, metadata: { ...published, ...readMetadata(checkpoint.metadata, name) } };
}

function checkSource(source: unknown): void {
  if (typeof source === 'string' || source instanceof URL || source instanceof Uint8Array) return;
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'Weights can not be loaded from this', {
    found: source === null ? 'null' : typeof source,
    expected: 'the name of pulled weights, a path, a file: URL, or the content of a file in a Uint8Array',
  });
}

function checkChoice(weights: string): void {
  const choices = ['auto', 'ema', 'raw'];
  if (choices.includes(weights)) return;
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The option weights is not known', {
    found: weights,
    expected: choices.join(', '),
  });
}

async function locate(source: string | URL, entry: WeightsEntry | undefined): Promise<string | URL> {
  if (entry === undefined) return source;
  const path = await findCached(findWeights(entry.name).name);
  if (path !== undefined) return path;
  throw new GhostNetError('GHOSTNET_NOT_PULLED', `The weights ${entry.name} are not in the cache`, {
    remedy: `Run \`npx ghostnet pull ${entry.name}\`, or write ./${entry.name} to name a file.`,
  });
}

async function metadataOf(entry: WeightsEntry): Promise<ModelMetadata> {
  const { inputSize, crop, interpolation, mean, std, labels } = entry;
  const file = new URL(`../models/${labels}.labels.json`, import.meta.url);
  return {
    inputSize,
    crop,
    interpolation,
    mean,
    std,
    labels: JSON.parse(await readFile(file, 'utf8')) as string[],
  };
}
