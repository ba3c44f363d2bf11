import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';

import { SingleBar } from 'cli-progress';
import { Command, Option } from 'commander';

import { readBytes } from '../files.js';
import type { HeldImage } from '../image/input.js';
import { classifierOf, GhostNet } from '../model/ghostnet.js';
import type { Precision } from '../model/precision.js';
import type { Device } from '../native/device.js';
import { classifyAll, type ClassifyResult } from '../pipeline/classify-all.js';
import { ExitCode, exitCodeHelp } from './exit-codes.js';
import { expandPaths } from './expand-paths.js';
import {
  deviceOption,
  jsonOption,
  modelOption,
  parseCount,
  precisionOption,
  threadsOption,
} from './shared-options.js';

interface Options {
  readonly model?: string;
  readonly topK?: number;
  readonly json?: boolean;
  readonly batchSize?: number;
  readonly device: Device;
  readonly threads?: number;
  readonly precision: Precision;
  readonly colorProfile: 'ignore' | 'apply';
  readonly filesFrom?: string;
}

/** An image from the command line, with the name under which it is reported. */
interface NamedImage {
  readonly name: string;
  readonly image: HeldImage;
}

/** `ghostnet classify` */
export function classifyCommand(): Command {
  return new Command('classify')
    .summary('classify images')
    .description(
      'Classifies images. Prints one line per image, in the order given: text on a terminal, JSON in a pipe.\n' +
        'An image that cannot be read is reported; the others are still classified.',
    )
    .argument(
      '[paths...]',
      'image files, folders (searched for images) or globs; - reads one image from standard input',
    )
    .addOption(modelOption())
    .option('-k, --top-k <n>', 'classes per image (default: 5, or all if there are fewer)', parseCount)
    .addOption(jsonOption('JSON lines'))
    .option('--files-from <file>', 'read paths from a file, one per line; - is standard input')
    .option('--batch-size <n>', 'images per batch (default: 32)', parseCount)
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(precisionOption())
    .addOption(
      new Option('--color-profile <what>', 'treatment of embedded colour profiles')
        .choices(['ignore', 'apply'])
        .default('ignore'),
    )
    .addHelpText('after', exitCodeHelp)
    .action(classify);
}

async function classify(paths: string[], options: Options, command: Command): Promise<void> {
  if (paths.includes('-') && options.filesFrom === '-')
    command.error('error: standard input can be read only once');
  const images = await gather(paths, options);
  if (images.length === 0) {
    command.error(
      'error: no images found. Pass image files, folders with images, globs, or - for standard input.',
    );
  }
  const json = options.json === true || !process.stdout.isTTY;
  const { model: source, device, threads, topK, batchSize, colorProfile, precision } = options;
  const model = await GhostNet.load(source, {
    colorProfile,
    device,
    precision,
    ...(threads === undefined ? {} : { threads }),
  });
  const progress = new Progress(images.length);
  let failed = 0;
  let index = 0;
  const results = classifyAll(
    classifierOf(model),
    images.map(({ image }) => image),
    { ...(topK === undefined ? {} : { topK }), ...(batchSize === undefined ? {} : { batchSize }) },
  );
  try {
    for await (const result of results) {
      const name = images[index]?.name ?? '';
      index += 1;
      progress.clear();
      if (result.error !== undefined) {
        failed += 1;
        process.stderr.write(`ghostnet: ${name}: ${result.error.message} [${result.error.code}]\n`);
      }
      await print(json ? toJson(name, result) : toWords(name, result));
      progress.advance();
    }
  } finally {
    progress.stop();
    model.dispose();
  }
  if (failed > 0) {
    if (images.length > 1) process.stderr.write(`ghostnet: ${failed} of ${images.length} images failed\n`);
    process.exitCode = ExitCode.someFailed;
  }
}

async function gather(paths: readonly string[], options: Options): Promise<NamedImage[]> {
  const named = [...paths];
  if (options.filesFrom !== undefined) {
    const list =
      options.filesFrom === '-' ? await text(process.stdin) : (await readBytes(options.filesFrom)).toString();
    named.push(...list.split(/\r?\n/).filter((line) => line !== ''));
  }
  const images: NamedImage[] = [];
  for (const path of named) {
    if (path === '-') {
      images.push({ name: '-', image: await buffer(process.stdin) });
    } else {
      for (const file of await expandPaths(path)) images.push({ name: file, image: file });
    }
  }
  return images;
}

function toJson(file: string, result: ClassifyResult): string {
  if (result.error === undefined) return `${JSON.stringify({ file, classes: result.classes })}\n`;
  const { code, message } = result.error;
  return `${JSON.stringify({ file, error: { code, message } })}\n`;
}

function toWords(file: string, result: ClassifyResult): string {
  if (result.error !== undefined) return '';
  const classes = result.classes.map(({ label, score }) => `${label} ${(score * 100).toFixed(1)} %`);
  return `${file}: ${classes.join(', ')}\n`;
}

// Waits for a slow reader, so that results do not accumulate in memory.
async function print(line: string): Promise<void> {
  if (line !== '' && !process.stdout.write(line)) await once(process.stdout, 'drain');
}

/** A progress bar on standard error, if it is a terminal and there are many images. */
class Progress {
  readonly #bar: SingleBar | undefined;

  constructor(total: number) {
    const many = 50;
    if (total < many || !process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      format: '{bar} {value}/{total} images, {eta_formatted} left',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
    });
    this.#bar.start(total, 0);
  }

  /** Clears the line of the bar for other output; the bar reappears by itself. */
  clear(): void {
    if (this.#bar === undefined) return;
    process.stderr.cursorTo(0);
    process.stderr.clearLine(0);
  }

  advance(): void {
    this.#bar?.increment();
  }

  stop(): void {
    this.#bar?.stop();
  }
}
