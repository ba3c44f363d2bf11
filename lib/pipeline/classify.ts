import { GhostNetError } from '../errors.js';
import type { DecodedImage } from '../image/decode.js';
import type { ClassifyOptions, GhostNet, RunOptions } from '../model.js';
import type { HeldImage } from './images.js';

/** A class that a model sees in a photograph. */
export interface ClassScore {
  /** Name of the class. */
  readonly label: string;
  /** Its place among the logits. */
  readonly index: number;
  /** Softmax over all classes, in [0, 1]. */
  readonly score: number;
}

/** What became of one image of many. */
export type ClassifyResult =
  | { readonly classes: ClassScore[]; readonly error?: undefined }
  | { readonly classes?: undefined; readonly error: GhostNetError };

/**
 * Classifies images in batches and gives a result for each, in their order. An image that fails does not stop the rest;
 * failures of anything else (a disposed model, an aborted signal) are thrown.
 */
export async function* classifyAll(
  model: GhostNet,
  images: readonly HeldImage[],
  options: ClassifyOptions,
): AsyncGenerator<ClassifyResult> {
  const { batchSize = 32 } = options;
  const topK = options.topK ?? Math.min(5, model.info.numClasses);
  checkCount('batchSize', batchSize, Number.MAX_SAFE_INTEGER);
  checkCount('topK', topK, model.info.numClasses);
  // While one batch runs, the next is decoded.
  const startBatch = (start: number): Promise<ClassifyResult[]> =>
    classifyBatch(model, images.slice(start, start + batchSize), topK, options);
  let next = startBatch(0);
  for (let start = 0; start < images.length; start += batchSize) {
    const current = next;
    if (start + batchSize < images.length) {
      next = startBatch(start + batchSize);
      next.catch(() => undefined); // awaited in its turn, if the caller gets that far
    }
    yield* await current;
  }
}

async function classifyBatch(
  model: GhostNet,
  images: readonly HeldImage[],
  topK: number,
  options: RunOptions,
): Promise<ClassifyResult[]> {
  const decoded = await Promise.allSettled(images.map((image) => model.decode(image)));
  const good = decoded.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
  const scores = (await classifyDecoded(model, good, topK, options)).values();
  return decoded.map((outcome): ClassifyResult => {
    if (outcome.status === 'rejected') return failureOf(outcome.reason);
    return scores.next().value ?? failureOf(new Error('an image without a result'));
  });
}

async function classifyDecoded(
  model: GhostNet,
  images: readonly DecodedImage[],
  topK: number,
  options: RunOptions,
): Promise<ClassifyResult[]> {
  if (images.length === 0) return [];
  try {
    return (await model.classifyDecoded(images, topK, options)).map((classes) => ({ classes }));
  } catch (error) {
    if (images.length === 1) return [failureOf(error)];
    if (!isOfImage(error)) throw error;
  }
  // One that native code refuses (too elongated, no RGB) fails the whole batch: find out which.
  return (await Promise.all(images.map((image) => classifyDecoded(model, [image], topK, options)))).flat();
}

function failureOf(error: unknown): ClassifyResult {
  if (isOfImage(error)) return { error };
  throw error;
}

/** Whether an error is about one image and says nothing of the others. */
function isOfImage(error: unknown): error is GhostNetError {
  const codes: readonly string[] = [
    'GHOSTNET_IMAGE_UNDECODABLE',
    'GHOSTNET_FILE_NOT_FOUND',
    'GHOSTNET_FILE_UNREADABLE',
    'GHOSTNET_BAD_SHAPE',
    'GHOSTNET_BAD_DTYPE',
  ];
  return error instanceof GhostNetError && codes.includes(error.code);
}

function checkCount(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `The option ${name} is out of range`, {
      found: String(value),
      expected: `a whole number from 1 to ${most}`,
    });
  }
}
