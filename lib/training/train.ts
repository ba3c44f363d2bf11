import { reading } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import { pathOf } from '../files.js';
import { aborted } from '../native/jobs.js';
import { Tensor } from '../tensor.js';
import { inWords, readFolderByClass, type Dataset } from './dataset.js';
import { decodeSamples } from './decode.js';
import { embedSamples, type Embeddings } from './embeddings.js';
import { tooFewClasses } from './faults.js';
import { finetune } from './finetune.js';
import { evaluate, type Evaluation, type TrainMetrics } from './metrics.js';
import type { TrainingSettings } from './options.js';
import { fitProbe } from './probe.js';
import { recordOf, type TrainingRecord } from './record.js';
import { reportOf } from './report.js';
import { hashFiles, type NamedSample, type PassOptions } from './samples.js';
import { splitSamples, type Divided } from './split.js';
import { Spool, type LabelledImage } from './spool.js';
import type { SourceNetwork, StepReport, TrainProgress, TrainWarning } from './types.js';

/** The weights that a training made, and all that belongs to them. */
export interface Trained {
  readonly state: ReadonlyMap<string, Tensor<'float32' | 'int64'>>;
  readonly labels: readonly string[];
  readonly record: TrainingRecord;
  readonly metrics: TrainMetrics;
  readonly report: string | undefined;
}

/** What is trained. */
export interface Training {
  readonly network: SourceNetwork;
  /** The name of the network, for people. */
  readonly from: string;
  readonly fingerprint: () => Promise<string>;
  readonly settings: TrainingSettings;
}

/** A folder with a folder for each class, or labelled images. */
export type TrainingImages = string | URL | AsyncIterable<LabelledImage> | Iterable<LabelledImage>;

/**
 * Trains a classifier of labelled images.
 *
 * @throws {@link GhostNetError} as `GhostNet.train`
 */
export async function train(training: Training, images: TrainingImages): Promise<Trained> {
  const { signal } = training.settings;
  await using spool = new Spool();
  try {
    return await new Run(training).of(images, spool);
  } catch (error) {
    if (signal?.aborted !== true || error instanceof GhostNetError) throw error;
    throw aborted(signal.reason);
  }
}

/** The images of a training that can be used. */
interface Prepared {
  readonly classes: readonly string[];
  readonly parts: Divided<NamedSample>;
  /** Of a probe. */
  readonly embeddings: Embeddings;
}

type Result = Pick<Trained, 'state'> &
  Pick<TrainMetrics, 'epochs' | 'l2'> & { readonly evaluation: Evaluation };

/** One training. */
class Run {
  readonly #began = performance.now();
  readonly #training: Training;
  readonly #settings: TrainingSettings;
  readonly #skipped: TrainWarning[] = [];

  constructor(training: Training) {
    this.#training = training;
    this.#settings = training.settings;
  }

  async of(images: TrainingImages, spool: Spool): Promise<Trained> {
    const { mode, seed, valSplit, validation, report } = this.#settings;
    const { network, from } = this.#training;
    const prepared = await this.#prepare(images, spool);
    const { state, evaluation, epochs, l2 } = await (mode === 'probe'
      ? this.#probe(prepared)
      : this.#finetune(prepared));
    const { classes, parts } = prepared;
    const metrics: TrainMetrics = {
      ...evaluation,
      mode,
      trainImages: parts.train.length,
      skipped: this.#skipped,
      epochs,
      l2,
      seconds: (performance.now() - this.#began) / 1000,
    };
    const record = recordOf({
      mode,
      from,
      seed,
      valSplit: validation === undefined ? valSplit : undefined,
      trainImages: parts.train.length,
      validationImages: parts.validation.length,
      epochs: epochs.length,
      l2,
      top1: evaluation.top1,
      top5: classes.length > 5 ? evaluation.top5 : undefined,
      loss: evaluation.loss,
    });
    const page = report ? await reportOf(network.info, metrics, record, this.#settings.decode) : undefined;
    return { state, labels: classes, record, metrics, report: page };
  }

  readonly #warn = (warning: TrainWarning): void => {
    if (warning.kind === 'unreadable') this.#skipped.push(warning);
    this.#settings.warn(warning);
  };

  #pass(stage: TrainProgress['stage']): PassOptions {
    const { signal, onProgress } = this.#settings;
    const began = performance.now();
    const onDone = (done: number, total: number): void =>
      onProgress?.({ stage, done, total, seconds: (performance.now() - began) / 1000 });
    return { signal, warn: this.#warn, onDone };
  }

  /** Reads, checks and divides the images: whatever is wrong with them is told before any of them is learned. */
  async #prepare(images: TrainingImages, spool: Spool): Promise<Prepared> {
    const { validation, broken } = this.#settings;
    const dataset = await this.#read(images, spool);
    const samples = await hashFiles(dataset.files, this.#pass('read'));
    const other =
      validation === undefined
        ? undefined
        : await readFolderByClass(validation, this.#pass('read'), dataset.classes);
    const others = other === undefined ? [] : await hashFiles(other.files, this.#pass('read'));
    const embeddings = await this.#usable([...samples, ...others]);
    if (broken === 'refuse' && this.#skipped.length > 0) throw refused(this.#skipped);
    const isUsable = ({ key }: NamedSample): boolean => embeddings.has(key);
    const { classes, relabel } = this.#classesOf(dataset.classes, samples.filter(isUsable));
    const [own, given] = [samples, others].map((list) => list.filter(isUsable).flatMap(relabel)) as [
      NamedSample[],
      NamedSample[],
    ];
    this.#warnOfTwoClasses(own, classes);
    const parts = other === undefined ? this.#divide(own, classes) : this.#bothParts(own, given);
    return { classes, parts, embeddings };
  }

  #read(images: TrainingImages, spool: Spool): Promise<Dataset> {
    const isFolder = typeof images === 'string' || Object.prototype.toString.call(images) === '[object URL]';
    const pass = this.#pass('read');
    if (isFolder)
      return readFolderByClass(
        reading(() => pathOf(images as string | URL)),
        pass,
      );
    return spool.read(images as Iterable<LabelledImage>, pass, this.#settings.decode.maxImageBytes);
  }

  /** The images that can be decoded: with their embeddings, if it is a probe. */
  async #usable(samples: readonly NamedSample[]): Promise<Embeddings> {
    const { mode, decode, cache } = this.#settings;
    const { network, fingerprint } = this.#training;
    if (mode === 'finetune') return decodeSamples(network, samples, this.#pass('decode'));
    return embedSamples(network, samples, {
      ...this.#pass('embed'),
      decode,
      cache,
      fingerprint: cache === undefined ? '' : await fingerprint(),
    });
  }

  /** The classes that have images left. */
  #classesOf(
    names: readonly string[],
    usable: readonly NamedSample[],
  ): { classes: readonly string[]; relabel: (sample: NamedSample) => NamedSample[] } {
    const used = new Set(usable.map(({ label }) => label));
    const labels = new Map([...used].sort((a, b) => a - b).map((label, index) => [label, index]));
    for (const [label, name] of names.entries()) {
      if (used.has(label)) continue;
      this.#warn({
        kind: 'empty class',
        name,
        message: `${name}: no image can be decoded, so it is no class`,
      });
    }
    const classes = names.filter((_, label) => used.has(label));
    if (classes.length < 2) throw tooFewClasses('The data set', classes);
    const relabel = (sample: NamedSample): NamedSample[] => {
      const label = labels.get(sample.label);
      return label === undefined ? [] : [{ ...sample, label }];
    };
    return { classes, relabel };
  }

  #warnOfTwoClasses(samples: readonly NamedSample[], classes: readonly string[]): void {
    const first = new Map<string, NamedSample>();
    for (const sample of samples) {
      const other = first.get(sample.key);
      if (other === undefined) first.set(sample.key, sample);
      else if (other.label !== sample.label) {
        const message = `${sample.name}: the same image as ${other.name}, of the class ${classes[other.label] ?? ''}`;
        this.#warn({ kind: 'two classes', name: sample.name, message });
      }
    }
  }

  #divide(samples: readonly NamedSample[], classes: readonly string[]): Divided<NamedSample> {
    const { valSplit, seed } = this.#settings;
    const parts = splitSamples(samples, { share: valSplit, seed });
    const judged = new Set(parts.validation.map(({ label }) => label));
    for (const [label, name] of classes.entries()) {
      if (judged.has(label) || valSplit === 0) continue;
      this.#warn({
        kind: 'no validation',
        name,
        message: `${name}: a single image, so the class is not judged`,
      });
    }
    return parts;
  }

  #bothParts(train: readonly NamedSample[], validation: readonly NamedSample[]): Divided<NamedSample> {
    const known = new Set(train.map(({ key }) => key));
    const both = validation.filter(({ key }) => known.has(key));
    if (both[0] !== undefined) {
      const message = `${both[0].name}: of the validation, ${inWords(both.length, 'image')} ${both.length === 1 ? 'is' : 'are'} in the training, too`;
      this.#warn({ kind: 'both parts', name: both[0].name, message });
    }
    return { train, validation };
  }

  async #probe({ classes, parts, embeddings }: Prepared): Promise<Result> {
    const { network } = this.#training;
    const { signal, l2, onEpoch } = this.#settings;
    const pass = this.#pass('fit');
    const { features, threads } = network.info;
    const probe = await fitProbe(parts, embeddings, {
      classes,
      features,
      l2,
      threads,
      signal,
      onEpoch: (report) => {
        onEpoch?.(report);
        pass.onDone?.(report.epoch, report.epochs);
      },
    });
    const state = new Map(await network.stateDict());
    const replace = (name: string, values: Float32Array, shape: number[]): void => {
      state.get(name)?.dispose();
      state.set(name, Tensor.from(values, shape));
    };
    replace('classifier.weight', probe.weight, [classes.length, features]);
    replace('classifier.bias', probe.bias, [classes.length]);
    return { state, evaluation: probe.evaluation, epochs: probe.reports, l2: probe.l2 };
  }

  async #finetune({ classes, parts }: Prepared): Promise<Result> {
    const { network } = this.#training;
    const { finetune: settings, checkpoints, resume, signal, onEpoch, onStep } = this.#settings;
    let pass = this.#pass('train');
    const progress = (step: StepReport): void => {
      if (step.step === 1) pass = this.#pass('train');
      onStep?.(step);
      pass.onDone?.(step.step, step.steps);
    };
    const { state, reports, scores } = await finetune({
      model: network,
      classes,
      split: parts,
      settings,
      resume,
      ...(checkpoints === undefined ? {} : { checkpoints }),
      ...(signal === undefined ? {} : { signal }),
      ...(onEpoch === undefined ? {} : { onEpoch }),
      onStep: progress,
    });
    return { state, evaluation: evaluate(parts.validation, classes, scores), epochs: reports, l2: undefined };
  }
}

function refused(broken: readonly TrainWarning[]): GhostNetError {
  const [first] = broken;
  return new GhostNetError(
    'GHOSTNET_IMAGE_UNDECODABLE',
    `${inWords(broken.length, 'image')} cannot be read or decoded`,
    {
      found:
        first === undefined
          ? undefined
          : first.name + (broken.length > 1 ? ` and ${broken.length - 1} more` : ''),
      remedy: "Remove or replace them; or pass `broken: 'skip'` (`--broken skip`) to train without them.",
    },
  );
}
