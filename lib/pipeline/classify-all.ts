import { checkNumber, checkObject } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import type { DecodedImage } from '../image/decode.js';
import type { HeldImage } from '../image/input.js';
import type { RunOptions } from '../native/jobs.js';

/** A class that a model finds in an image. */
export interface ClassScore {
  /** Name of the class. */
  readonly label: string;
  /** Its index in the logits. */
  readonly index: number;
  /** Softmax over all classes, in [0, 1]. */
  readonly score: number;
}

/** Options of {@link GhostNet.classify}. */
export interface ClassifyOptions extends RunOptions {
  /** Classes per image, 1 to the number of classes of the model. Default: 5, or all if there are fewer. */
  readonly topK?: number;
  /** Images per batch, at least 1. Default 32. */
  readonly batchSize?: number;
}

/** The parts of a model that classification needs. */
export interface Classifier {
  /** A name for each class, in the order of the logits. */
  readonly labels: readonly string[];
  readonly decode: (image: HeldImage) => Promise<DecodedImage>;
  /** The topK classes of each image, best first. */
  readonly scores: (
    images: readonly DecodedImage[],
    topK: number,
    options: RunOptions,
  ) => Promise<readonly (readonly Omit<ClassScore, 'label'>[])[]>;
}

/** The outcome for one image of many. */
export type ClassifyResult =
  | { readonly classes: ClassScore[]; readonly error?: undefined }
  | { readonly classes?: undefined; readonly error: GhostNetError };

/**
 * Classifies images in batches and yields a result for each, in order. An image that fails does not stop the others; other
 * failures (a disposed model, an aborted signal) are thrown.
 */
export async function* classifyAll(
  classifier: Classifier,
  images: readonly HeldImage[],
  options: ClassifyOptions,
): AsyncGenerator<ClassifyResult> {
  checkObject('options', options);
  const { batchSize = 32 } = options;
  const numClasses = classifier.labels.length;
  const topK = options.topK ?? Math.min(5, numClasses);
  checkNumber('batchSize', batchSize, 1);
  checkNumber('topK', topK, 1, numClasses);
  // The next batch is decoded while the current one runs.
  const startBatch = (start: number): Promise<ClassifyResult[]> =>
    classifyBatch(classifier, images.slice(start, start + batchSize), topK, options);
  let next = startBatch(0);
  for (let start = 0; start < images.length; start += batchSize) {
    const current = next;
    if (start + batchSize < images.length) {
      next = startBatch(start + batchSize);
      next.catch(() => undefined); // awaited later, unless the caller stops early
    }
    yield* await current;
  }
}

async function classifyBatch(
  classifier: Classifier,
  images: readonly HeldImage[],
  topK: number,
  options: RunOptions,
): Promise<ClassifyResult[]> {
  const decoded = await Promise.allSettled(images.map((image) => classifier.decode(image)));
  const good = decoded.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
  const results = (await classifyDecoded(classifier, good, topK, options)).values();
  return decoded.map((outcome): ClassifyResult => {
    if (outcome.status === 'rejected') return failureOf(outcome.reason);
    return results.next().value ?? failureOf(new Error('an image without a result'));
  });
}

async function classifyDecoded(
  classifier: Classifier,
  images: readonly DecodedImage[],
  topK: number,
  options: RunOptions,
): Promise<ClassifyResult[]> {
  if (images.length === 0) return [];
  try {
    const scores = await classifier.scores(images, topK, options);
    return scores.map((best) => ({
      classes: best.map(({ index, score }) => ({ label: classifier.labels[index] ?? '', index, score })),
    }));
  } catch (error) {
    if (images.length === 1) return [failureOf(error)];
    if (!isOfImage(error)) throw error;
  }
  // An image that native code rejects (too elongated, not RGB) fails the whole batch: find out which image it is.
  return (
    await Promise.all(images.map((image) => classifyDecoded(classifier, [image], topK, options)))
  ).flat();
}

function failureOf(error: unknown): ClassifyResult {
  if (isOfImage(error)) return { error };
  throw error;
}

/** Whether an error concerns one image and says nothing about the others. */
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
