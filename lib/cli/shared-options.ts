import { InvalidArgumentError, Option } from 'commander';

import { longestTimer } from '../check/option.js';
import { weightsChoices } from '../checkpoint/index.js';
import { precisions } from '../model/precision.js';

/** A whole number of at least 1, for commander. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  }
  return value;
}

/** A whole number of at least 0, for commander. */
export function parseWhole(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Expected a whole number of at least 0.');
}

/** A port; 0 is any that is free. */
export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('Expected a port: a whole number from 0 to 65535.');
}

/** Milliseconds, as far as timers go. */
export function parseMilliseconds(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= longestTimer) return Number(text);
  throw new InvalidArgumentError(`Expected milliseconds: a whole number from 0 to ${longestTimer}.`);
}

/** The model, in all commands that use one. */
export function modelOption(): Option {
  return new Option(
    '-m, --model <model>',
    'weights file, or name of pulled weights (default: the embedded model)',
  );
}

/** Weights that are NaN or infinite, in all commands that load a model. */
export function allowNonFiniteOption(): Option {
  return new Option('--allow-non-finite', 'load weights even if some are NaN or infinite');
}

/** The network in a file that holds several, in all commands that load a model. */
export function prefixOption(): Option {
  return new Option('--prefix <prefix>', 'start of the keys of the network, if a weights file holds several');
}

/** The weights of a training checkpoint, in the commands that read one. */
export function weightsOption(): Option {
  return new Option(
    '--weights <which>',
    'the weights of a training checkpoint to use; auto prefers the moving average',
  )
    .choices(weightsChoices)
    .default('auto');
}

/** The limit of a weights file, in all commands that load a model. */
export function maxFileBytesOption(): Option {
  return new Option(
    '--max-file-bytes <n>',
    'larger weights files are rejected (default: 2147483648)',
  ).argParser(parseCount);
}

/** JSON instead of text, in all commands that print results. */
export function jsonOption(what: string): Option {
  return new Option('--json', `print ${what} on a terminal too`);
}

/** The precision of the engine. */
export function precisionOption(): Option {
  return new Option(
    '--precision <what>',
    'precision of the engine; bfloat16 needs a GPU or a processor with AVX512_BF16, float16 and tf32 need a GPU',
  )
    .choices(precisions)
    .default('float32');
}

/** Where the model runs. */
export function deviceOption(): Option {
  return new Option('--device <device>', 'cpu, cuda, cuda:1 and so on, or auto').default('cpu');
}

/** The number of threads per batch. */
export function threadsOption(): Option {
  return new Option('--threads <n>', 'threads per batch (default: all that the process may use)').argParser(
    parseCount,
  );
}
