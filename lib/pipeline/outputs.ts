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
  readonly wants: readonly NativeOutput[];
  /** uint8 [inputSize,inputSize,3]. */
  readonly input: NativeTensor;
}

/** Computes the result or the error of each image of a batch, in order. The inputs belong to it. */
export type Output<R> = (model: PipelineModel, batch: readonly BatchItem[]) => Promise<(R | GhostNetError)[]>;

function notFinite(what: string): GhostNetError {
  return new GhostNetError('GHOSTNET_RESULT_NOT_FINITE', `${what} of the image is NaN or infinite`);
}

/** The best classes of each image, best first. */
export const classifyOutput: Output<ClassScore[]> = async ({ native, labels, threads }, batch) => {
  const most = Math.max(...batch.map(({ topK }) => topK));
  const inputs = batch.map(({ input }) => input);
  try {
    const scores = await runJob({}, (ticket) => native.classify(ticket, inputs, most, threads));
    return batch.map(({ topK }, position) => {
      const best = scores[position] ?? [];
      // One logit that is NaN makes every score of the softmax NaN.
      if (!best.every(({ score }) => Number.isFinite(score))) return notFinite('The score');
      return best.slice(0, topK).map(({ index, score }) => ({ label: labels[index] ?? '', index, score }));
    });
  } finally {
    for (const input of inputs) input.dispose();
  }
};

/** The embedding of each image, in memory of its own. */
export const embedOutput: Output<Float32Array> = async (model, batch) => {
  try {
    return await rowsOf(model, 'features', batch);
  } finally {
    for (const { input } of batch) input.dispose();
  }
};

/** What an image is asked for, in memory of its own. */
export type Rows = { readonly [output in NativeOutput]?: Float32Array };

/** The logits, the embedding or both of each image. */
export const rowsOutput: Output<Rows> = async (model, batch) => {
  const found = batch.map((): Rows | GhostNetError => ({}));
  try {
    for (const output of ['logits', 'features'] as const) {
      const asking = batch.filter(({ wants }) => wants.includes(output));
      if (asking.length === 0) continue;
      const rows = await rowsOf(model, output, asking);
      for (const [row, item] of asking.entries()) {
        const position = batch.indexOf(item);
        const before = found[position];
        const values = rows[row];
        if (values === undefined || before instanceof GhostNetError) continue;
        found[position] = values instanceof GhostNetError ? values : { ...before, [output]: values };
      }
    }
    return found;
  } finally {
    for (const { input } of batch) input.dispose();
  }
};

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
