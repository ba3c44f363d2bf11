import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

import { GhostNetError } from '../errors.js';
import { codeOfReading, reasonOf, remedyOfReading } from '../files.js';
import { unreadable, type LabelledFile } from './dataset.js';
import type { Sample, TrainWarning } from './types.js';

/** A sample with the name under which it is shown. */
export interface NamedSample extends Sample {
  readonly name: string;
}

/** What a pass over files is told, and what it tells. */
export interface PassOptions {
  readonly signal?: AbortSignal | undefined;
  readonly warn: (warning: TrainWarning) => void;
  /** Called after each item. */
  readonly onDone?: ((done: number, total: number) => void) | undefined;
}

/** Files that are read at a time: more would not make a disk faster. */
const atOnce = 4;

/**
 * Reads files to their ends, for the hashes of their contents. A file that cannot be read is told of, and left out.
 *
 * @throws {@link GhostNetError} the reason of the signal
 */
export async function hashFiles(
  files: readonly LabelledFile[],
  { signal, warn, onDone }: PassOptions,
): Promise<NamedSample[]> {
  const samples: (NamedSample | undefined)[] = new Array<undefined>(files.length).fill(undefined);
  let done = 0;
  await eachAtOnce(files, atOnce, async (file, index) => {
    signal?.throwIfAborted();
    try {
      samples[index] = { ...file, key: await hashOf(file.path, signal) };
    } catch (cause) {
      signal?.throwIfAborted();
      warn(unreadable(file.name, unreadableFile(file.name, cause)));
    }
    done += 1;
    onDone?.(done, files.length);
  });
  return samples.filter((sample) => sample !== undefined);
}

async function hashOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  const stream = createReadStream(path, signal === undefined ? {} : { signal });
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function unreadableFile(name: string, cause: unknown): GhostNetError {
  return new GhostNetError(codeOfReading(cause), `The file ${name} cannot be read`, {
    found: reasonOf(cause),
    remedy: remedyOfReading(cause),
    cause,
  });
}

/** Works on all items, so many at a time. The first failure ends it, when what has begun is done. */
export async function eachAtOnce<T>(
  items: readonly T[],
  most: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let isFailed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !isFailed) {
      const index = next;
      next += 1;
      try {
        await work(items[index] as T, index);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
