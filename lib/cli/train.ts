import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';

import { Command, Option } from 'commander';

import { GhostNetError } from '../errors.js';
import { reasonOf } from '../files.js';
import { GhostNet } from '../model/ghostnet.js';
import type { TrainOptions } from '../model/train.js';
import type { Device } from '../native/device.js';
import { writeBytes } from '../replace-file.js';
import { percent, short } from '../report/index.js';
import type { TrainMetrics } from '../training/metrics.js';
import { trainModes, type EpochReport, type TrainMode, type TrainProgress } from '../training/types.js';
import { exitCodesInWords } from './exit-codes.js';
import { print, printJson, report } from './output.js';
import { ProgressLine } from './progress-line.js';
import { addFinetuneOptions, finetuneOf, parseNumber, type FinetuneArguments } from './finetune-options.js';
import { deviceOption, jsonOption, parseCount, parseWhole, threadsOption } from './shared-options.js';

interface Options extends FinetuneArguments {
  readonly from?: string;
  readonly out: string;
  readonly mode: TrainMode;
  readonly valSplit?: number;
  readonly validation?: string;
  readonly seed?: number;
  readonly l2?: number;
  readonly broken: 'skip' | 'refuse';
  readonly cache: boolean;
  readonly report?: string;
  readonly checkpoints?: string;
  readonly resume?: boolean;
  readonly maxImageBytes?: number;
  readonly maxPixels?: number;
  readonly device: Device;
  readonly threads?: number;
  readonly json?: boolean;
}

const exitCodes = exitCodesInWords({
  0: 'success; images that are broken were told of and left out',
  2: 'wrong usage, or fewer than two classes',
  3: 'the images, the model or the package cannot be used, or a file cannot be written',
  4: 'the lines cannot be written to standard output',
});

/** `ghostnet train` */
export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a classifier of your own classes')
    .description(
      'Trains a classifier from a folder with a folder for each class, photos/cat/1.jpg, and writes a model that every\n' +
        'command takes: ghostnet classify --model m.safetensors. By default only the classifier is new, which takes seconds.',
    )
    .argument('<folder>', 'a folder with a folder of images for each class')
    .requiredOption('-o, --out <file>', 'the safetensors file to write; an existing regular file is replaced')
    .option('--from <model>', 'weights file, or name of pulled weights (default: the embedded model)')
    .addOption(
      new Option('--mode <mode>', 'probe: a new classifier; finetune: all layers')
        .choices(trainModes)
        .default('probe'),
    )
    .option('--val-split <share>', 'share of each class for validation, 0 to 0.9 (default: 0.2)', parseNumber)
    .option('--validation <folder>', 'a folder of the same classes for validation instead')
    .option('--seed <n>', 'decides the split and all that is random (default: 0)', parseWhole)
    .option('--l2 <penalty>', 'penalty of a probe (default: the best of several)', parseNumber)
    .addOption(
      new Option('--broken <what>', 'images that cannot be decoded: train without them, or do not train')
        .choices(['skip', 'refuse'])
        .default('skip'),
    )
    .option('--no-cache', 'keep no embeddings on disk for the next training')
    .option('--report <file>', 'write a page with curves, classes, confusions and the worst mistakes')
    .option('--max-image-bytes <n>', 'the most bytes of an image file (default: 256000000)', parseCount)
    .option('--max-pixels <n>', 'the most pixels of an image (default: 50000000)', parseCount)
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(jsonOption('a JSON line for each epoch'));
  return addFinetuneOptions(command).addHelpText('after', exitCodes).action(trainFolder);
}

async function trainFolder(folder: string, options: Options): Promise<void> {
  const { out, report: page, json = false, ...given } = options;
  const isJson = json || !process.stdout.isTTY;
  // Not after an hour.
  for (const file of [out, page]) if (file !== undefined) await checkWritable(file);
  const progress = new TrainingProgress();
  // Lines wait for a slow reader one after another.
  let lines = Promise.resolve();
  const onEpoch = (epoch: EpochReport): void => {
    progress.clear();
    if (isJson) lines = lines.then(() => printJson(toJson(epoch)));
    else print(epochInWords(epoch));
  };
  try {
    const {
      model,
      metrics,
      report: text,
    } = await GhostNet.train(folder, {
      ...(finetuneOf(given) as TrainOptions),
      report: page !== undefined,
      onWarning: ({ message }) => {
        progress.clear();
        report(`ghostnet: ${message}`);
      },
      onProgress: (state) => {
        progress.show(state);
      },
      onEpoch,
    });
    progress.stop();
    try {
      await lines;
      await model.save(out);
      if (page !== undefined && text !== undefined) await writeBytes(page, Buffer.from(text));
    } finally {
      model.dispose();
    }
    if (isJson) await printJson({ out, ...summaryOf(metrics) });
    else print(`${out}: ${inWords(metrics)}`);
  } finally {
    progress.stop();
  }
}

async function checkWritable(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_FILE_UNWRITABLE', `The file ${file} cannot be written`, {
      found: reasonOf(cause),
      cause,
    });
  }
}

/** NaN is no JSON. */
function known(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function toJson({
  epoch,
  epochs,
  trainLoss,
  validationLoss,
  top1,
  learningRate,
  l2,
  images,
  seconds,
}: EpochReport): object {
  const ofMode = l2 === undefined ? { learningRate } : { l2 };
  return {
    epoch,
    epochs,
    trainLoss,
    validationLoss: known(validationLoss),
    top1: known(top1),
    ...ofMode,
    images,
    seconds,
  };
}

function summaryOf({
  mode,
  classes,
  trainImages,
  images,
  skipped,
  l2,
  top1,
  top5,
  loss,
  seconds,
}: TrainMetrics): object {
  return {
    ...{ mode, classes: classes.map(({ label }) => label), trainImages, validationImages: images },
    ...{ skipped: skipped.length, l2, top1: known(top1), top5: known(top5), loss: known(loss), seconds },
  };
}

function epochInWords({ epoch, epochs, trainLoss, validationLoss, top1, l2 }: EpochReport): string {
  const what = l2 === undefined ? `epoch ${epoch} of ${epochs}` : `penalty ${short(l2)}`;
  const judged = Number.isFinite(top1) ? `, validation ${short(validationLoss)}, ${percent(top1)} right` : '';
  return `${what}: loss ${short(trainLoss)}${judged}`;
}

function inWords({ classes, trainImages, images, skipped, top1, seconds }: TrainMetrics): string {
  const judged = Number.isFinite(top1) ? `, ${percent(top1)} of ${images} validation images right` : '';
  const without = skipped.length === 0 ? '' : `, without ${skipped.length} broken`;
  return `${classes.length} classes from ${trainImages} images${without}, in ${short(seconds)} s${judged}`;
}

const stages: Readonly<Record<TrainProgress['stage'], string>> = {
  read: 'read',
  embed: 'embedded',
  decode: 'checked',
  fit: 'penalties tried',
  train: 'steps',
};

/** The line of progress of a training: a new one for each stage. */
class TrainingProgress {
  #stage: string | undefined;
  #line: ProgressLine | undefined;

  show({ stage, done, total, seconds }: TrainProgress): void {
    if (stage !== this.#stage) {
      this.stop();
      this.#stage = stage;
      this.#line = new ProgressLine(`{value} of {all} ${stages[stage]}, {rate} a second, {left} left`);
    }
    const rate = done / Math.max(seconds, 1e-3);
    const left = done === 0 ? '?' : inTime((total - done) / rate);
    const rounded = rate >= 10 ? String(Math.round(rate)) : rate.toFixed(1);
    this.#line?.show(done, { all: String(total), rate: rounded, left });
  }

  clear(): void {
    this.#line?.clear();
  }

  stop(): void {
    this.#line?.stop();
    this.#line = undefined;
    this.#stage = undefined;
  }
}

function inTime(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
