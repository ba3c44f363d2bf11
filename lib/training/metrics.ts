import type { EpochReport, TrainMode, TrainWarning } from './types.js';

/** How well a class is found among the validation images. */
export interface ClassMetrics {
  readonly label: string;
  /** Validation images of the class. */
  readonly images: number;
  /** Of the images that were given this class, the share that is of it; NaN if none were. */
  readonly precision: number;
  /** Of the images of this class, the share that was given it; NaN if there are none. */
  readonly recall: number;
}

/** A validation image that was given a wrong class. */
export interface Mistake {
  /** The image as it is shown. */
  readonly name: string;
  readonly path: string;
  /** Its class. */
  readonly label: string;
  /** The class that it was given, and the score of that. */
  readonly predicted: string;
  readonly score: number;
  /** The score of its own class. */
  readonly ownScore: number;
}

/** What the validation images say of a classifier. Numbers are NaN if there are none. */
export interface Evaluation {
  readonly images: number;
  /** Share of the images whose best class is right, in [0, 1]. */
  readonly top1: number;
  /** The same for the best five classes; 1 if there are no more. */
  readonly top5: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  readonly classes: readonly ClassMetrics[];
  /** How many images of each class (row) were given each class (column). */
  readonly confusion: readonly (readonly number[])[];
  /** The images with wrong classes, the most certain first, at most 24. */
  readonly mistakes: readonly Mistake[];
}

/** What a training found out. */
export interface TrainMetrics extends Evaluation {
  readonly mode: TrainMode;
  /** Images of the training part. */
  readonly trainImages: number;
  /** Images that could not be read or decoded. */
  readonly skipped: readonly TrainWarning[];
  /** The epochs, or the penalties that a probe tried. */
  readonly epochs: readonly EpochReport[];
  /** The penalty that a probe took. */
  readonly l2: number | undefined;
  /** From the first file to the last number. */
  readonly seconds: number;
}

/** A validation image, as far as it is judged. */
export interface Judged {
  readonly name: string;
  readonly path: string;
  readonly label: number;
}

const mostMistakes = 24;

/** The smallest number above 0 of float32: a score of 0 has no logarithm. */
const leastScore = 2 ** -149;

/**
 * Judges scores.
 *
 * @param scores - the softmax, [samples.length,classes.length], row by row
 */
export function evaluate(
  samples: readonly Judged[],
  classes: readonly string[],
  scores: Float32Array,
): Evaluation {
  const count = classes.length;
  const confusion = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  const wrong: { sample: Judged; best: number; row: Float32Array }[] = [];
  let [right, among5, loss] = [0, 0, 0];
  for (const [index, sample] of samples.entries()) {
    const row = scores.subarray(index * count, (index + 1) * count);
    const own = row[sample.label] ?? 0;
    const best = bestOf(row);
    const line = confusion[sample.label];
    if (line !== undefined) line[best] = (line[best] ?? 0) + 1;
    if (best === sample.label) right += 1;
    else wrong.push({ sample, best, row });
    // Of equal scores the first is the better one, as for classify().
    const better = row.reduce(
      (sum, score, other) => sum + Number(score > own || (score === own && other < sample.label)),
      0,
    );
    if (better < 5) among5 += 1;
    loss -= Math.log(Math.max(own, leastScore));
  }
  wrong.sort(
    (a, b) => (b.row[b.best] ?? 0) - (a.row[a.best] ?? 0) || (a.sample.name < b.sample.name ? -1 : 1),
  );
  const name = (label: number): string => classes[label] ?? '';
  return {
    images: samples.length,
    top1: right / samples.length,
    top5: among5 / samples.length,
    loss: loss / samples.length,
    classes: classes.map((label, index) => classMetrics(label, index, confusion)),
    confusion,
    mistakes: wrong.slice(0, mostMistakes).map(({ sample, best, row }) => ({
      name: sample.name,
      path: sample.path,
      label: name(sample.label),
      predicted: name(best),
      score: row[best] ?? 0,
      ownScore: row[sample.label] ?? 0,
    })),
  };
}

function bestOf(row: Float32Array): number {
  let best = 0;
  for (const [index, score] of row.entries()) if (score > (row[best] ?? 0)) best = index;
  return best;
}

function classMetrics(label: string, index: number, confusion: readonly (readonly number[])[]): ClassMetrics {
  const hits = confusion[index]?.[index] ?? 0;
  const images = (confusion[index] ?? []).reduce((sum, value) => sum + value, 0);
  const given = confusion.reduce((sum, row) => sum + (row[index] ?? 0), 0);
  return { label, images, precision: hits / given, recall: hits / images };
}
