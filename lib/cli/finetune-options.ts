import { InvalidArgumentError, Option, type Command } from 'commander';

import type { FinetuneSettings } from '../training/finetune-settings.js';
import { parseCount, parseWhole } from './shared-options.js';

/** The options of `ghostnet train --mode finetune`, as the command line has them. */
export interface FinetuneArguments {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: 'sgd' | 'adamw';
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly warmup?: number;
  readonly labelSmoothing?: number;
  readonly ema?: number;
  readonly patience?: number;
  readonly frozenEpochs?: number;
  readonly flip: boolean;
  readonly colorJitter?: number;
  readonly mixup?: number;
  readonly cutmix?: number;
  readonly checkpointSeconds?: number;
}

/** A number of at least 0, for commander. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('Expected a number of at least 0.');
}

/** Adds the options to a command. */
export function addFinetuneOptions(command: Command): Command {
  return command
    .optionsGroup('Options of finetune:')
    .option('--epochs <n>', 'the most passes over the images (default: 10)', parseCount)
    .option('--batch-size <n>', 'images of a step (default: 32)', parseCount)
    .addOption(new Option('--optimizer <name>', '(default: adamw)').choices(['adamw', 'sgd']))
    .option('--learning-rate <rate>', 'the highest (default: 0.001, and 0.02 for sgd)', parseNumber)
    .option('--weight-decay <share>', 'of weights (default: 0.05, and 0.0001 for sgd)', parseNumber)
    .option('--warmup <share>', 'of the steps, in which the rate rises (default: 0.05)', parseNumber)
    .option('--label-smoothing <share>', 'of the target, spread over all classes (default: 0.1)', parseNumber)
    .option('--ema <decay>', 'of the moving average of the weights; 0: none (default: 0.99)', parseNumber)
    .option('--patience <n>', 'epochs without a better one; 0: no end (default: 5)', parseWhole)
    .option(
      '--frozen-epochs <n>',
      'first epochs in which only the classifier learns (default: 0)',
      parseWhole,
    )
    .option('--no-flip', 'mirror no images: for text, digits, signs')
    .option('--color-jitter <share>', 'change of brightness, contrast, saturation (default: 0)', parseNumber)
    .option('--mixup <alpha>', 'blend pairs of images (default: 0)', parseNumber)
    .option('--cutmix <alpha>', 'put a part of one image into another (default: 0)', parseNumber)
    .option('--checkpoints <folder>', 'keep checkpoints in this folder')
    .option('--checkpoint-seconds <n>', 'the least time between two (default: 60)', parseNumber)
    .option('--resume', 'go on from the last checkpoint');
}

/** The options for `GhostNet.train`. */
export function finetuneOf({
  flip,
  colorJitter,
  mixup,
  cutmix,
  ...rest
}: FinetuneArguments): FinetuneSettings {
  const given = Object.entries({ colorJitter, mixup, cutmix }).filter(([, value]) => value !== undefined);
  const augment = { ...(flip ? {} : { flip }), ...(Object.fromEntries(given) as Record<string, number>) };
  return { ...rest, ...(Object.keys(augment).length === 0 ? {} : { augment }) };
}
