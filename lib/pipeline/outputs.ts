import { GhostNetError } from '../errors.js';
import type { NativeModel, NativeOutput, NativeTensor } from '../native/addon.js';
import { runJob } from '../native/jobs.js';

/** A class that a model finds in an image. */
export interface ClassScore {
  /** Name of the class. */
  readonly label: string;
  /** Its index in the logits. */
  readonly index: number;
  /** Softmax over all classes, in [0, 1]. */
  readonly score: number;
}

/** The parts of a model that a pipeline needs. */
export interface PipelineModel {
  readonly native: NativeModel;
  readonly isDisposed: () => boolean;
  /** A name for each class, in the order of the logits. */
  readonly labels: readonly string[];
  /** Threads of one run. */
  readonly threads: number;
  /** Images that are given to native code to decode at a time. */
  readonly decoders: number;
}

/** An image of a batch. */
export interface BatchItem {
  readonly topK: number;
  readonly wants: readonly Want[];
  /** uint8 [inputSize,inputSize,3]. */
  readonly input: NativeTensor;
}

/** Computes the result or the error of each image of a batch, in order. The inputs belong to it. */
export type Output<R> = (model: PipelineModel, batch: readonly BatchItem[]) => Promise<(R | GhostNetError)[]>;

function notFinite(what: string): GhostNetError {
  return new GhostNetError('GHOSTNET_RESULT_NOT_FINITE', `${what} of the image is NaN or infinite`);
}

/** The best classes of each image, best first. */
export const classifyOutput: Output<ClassScore[]> = (model, batch) =>
  disposing(batch, () => classesOf(model, batch));

/** The embedding of each image, in memory of its own. */
export const embedOutput: Output<Float32Array> = (model, batch) =>
  disposing(batch, () => rowsOf(model, 'features', batch));

/** What an image may be asked for: its best classes, or an output of the network. */
export type Want = 'classes' | NativeOutput;

/** What an image is asked for, in memory of its own. */
export interface Answers {
  readonly classes?: ClassScore[];
  /** float32 [numClasses] */
  readonly logits?: Float32Array;
  /** float32 [1280] */
  readonly features?: Float32Array;
}

/** Whatever each image is asked for. The network runs once for each kind of answer. */
export const answersOutput: Output<Answers> = (model, batch) =>
  disposing(batch, async () => {
    const found = new Map<BatchItem, Answers | GhostNetError>(batch.map((item) => [item, {}]));
    for (const want of ['classes', 'logits', 'features'] as const) {
      const asking = batch.filter(({ wants }) => wants.includes(want));
      if (asking.length === 0) continue;
      const computed = await (want === 'classes' ? classesOf(model, asking) : rowsOf(model, want, asking));
      for (const [position, item] of asking.entries()) {
        const [before, answer] = [found.get(item), computed[position]];
        if (before instanceof GhostNetError) continue;
        found.set(item, answer instanceof GhostNetError ? answer : { ...before, [want]: answer });
      }
    }
    return [...found.values()];
  });

/** Releases the inputs of a batch after its computation. */
async function disposing<T>(batch: readonly BatchItem[], compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } finally {
    for (const { input } of batch) input.dispose();
  }
}

async function classesOf(
  { native, labels, threads }: PipelineModel,
  batch: readonly BatchItem[],
): Promise<(ClassScore[] | GhostNetError)[]> {
  const most = Math.max(...batch.map(({ topK }) => topK));
  const inputs = batch.map(({ input }) => input);
  const scores = await runJob({}, (ticket) => native.classify(ticket, inputs, most, threads));
  return batch.map(({ topK }, position) => {
    const best = scores[position] ?? [];
    // One logit that is NaN makes every score of the softmax NaN.
    if (!best.every(({ score }) => Number.isFinite(score))) return notFinite('The score');
    return best.slice(0, topK).map(({ index, score }) => ({ label: labels[index] ?? '', index, score }));
  });
}

async function rowsOf(
  { native, threads }: PipelineModel,
  output: NativeOutput,
  batch: readonly BatchItem[],
): Promise<(Float32Array | GhostNetError)[]> {
  const inputs = batch.map(({ input }) => input);
  const result = await runJob({}, (ticket) => native.runImages(ticket, inputs, output, threads));
  const values = new Float32Array(result.buffer);
  const length = values.length / batch.length;
  const rows = batch.map((_, row) => {
    const numbers = values.slice(row * length, (row + 1) * length);
    if (numbers.every(Number.isFinite)) return numbers;
    return notFinite(output === 'logits' ? 'A logit' : 'The embedding');
  });
  result.dispose();
  return rows;
}

/** The input of the network itself. */
export const inputOutput: Output<NativeTensor> = (_, batch) =>
  Promise.resolve(batch.map(({ input }) => input));
