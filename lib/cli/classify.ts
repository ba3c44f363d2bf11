import { once } from 'node:events';

import { SingleBar } from 'cli-progress';
import { Command, Option } from 'commander';

import { quote } from '../check/words.js';
import type { ImageInput } from '../image/input.js';
import { listedImage, schemeOf } from '../image/source.js';
import { GhostNet } from '../model/ghostnet.js';
import type { Precision } from '../model/precision.js';
import type { Device } from '../native/device.js';
import type { ClassScore, StreamResult } from '../pipeline/index.js';
import { countsInWords } from '../sources/formats.js';
import { listImages } from '../sources/list-images.js';
import type { Source } from '../sources/source.js';
import { ExitCode, exitCodeHelp } from './exit-codes.js';
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
  readonly decode: 'exact' | 'fast';
  readonly decoder: 'auto' | 'sharp';
  readonly maxPixels?: number;
  readonly filesFrom?: string;
}

/** An image from the command line, with the name under which it is reported. */
interface NamedImage {
  readonly name: string;
  readonly image: ImageInput;
}

type Outcome = StreamResult<NamedImage, ClassScore[]>;

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
    .option('--batch-size <n>', 'images per batch (default: 16)', parseCount)
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(precisionOption())
    .addOption(
      new Option('--color-profile <what>', 'treatment of embedded colour profiles')
        .choices(['ignore', 'apply'])
        .default('ignore'),
    )
    .addOption(
      new Option('--decode <how>', 'exact, or fast: decode large JPEGs at a reduced size')
        .choices(['exact', 'fast'])
        .default('exact'),
    )
    .addOption(
      new Option('--decoder <name>', 'auto, or sharp for every image')
        .choices(['auto', 'sharp'])
        .default('auto'),
    )
    .option('--max-pixels <n>', 'the most pixels of an image (default: 50000000)', parseCount)
    .addHelpText('after', exitCodeHelp)
    .action(classify);
}

async function classify(paths: string[], options: Options, command: Command): Promise<void> {
  const {
    model: source,
    device,
    threads,
    topK,
    batchSize,
    colorProfile,
    decode,
    decoder,
    maxPixels,
    precision,
    filesFrom,
  } = options;
  if (paths.includes('-') && filesFrom === '-') command.error('error: standard input can be read only once');
  if (paths.length === 0 && filesFrom === undefined) {
    command.error(
      'error: no images named. Pass image files, folders with images, globs, or - for standard input.',
    );
  }
  const json = options.json === true || !process.stdout.isTTY;
  const model = await GhostNet.load(source, {
    colorProfile,
    decode,
    decoder,
    device,
    precision,
    ...(threads === undefined ? {} : { threads }),
    ...(maxPixels === undefined ? {} : { maxPixels }),
  });
  const pipeline = model.pipeline({
    ...(topK === undefined ? {} : { topK }),
    ...(batchSize === undefined ? {} : { maxBatch: batchSize }),
  });
  const images = new NamedImages(paths, filesFrom);
  const progress = new Progress();
  let count = 0;
  let failed = 0;
  try {
    for await (const outcome of pipeline.stream(images)) {
      const { name } = outcome.input;
      count += 1;
      progress.clear();
      if (outcome.error !== undefined) {
        failed += 1;
        process.stderr.write(`ghostnet: ${name}: ${outcome.error.message} [${outcome.error.code}]\n`);
      }
      await print(json ? toJson(outcome) : toWords(outcome));
      progress.advance();
    }
  } finally {
    progress.stop();
    model.dispose();
  }
  reportSkipped(images.skipped);
  if (count === 0) command.error('error: no images found.');
  if (failed > 0) {
    if (count > 1) process.stderr.write(`ghostnet: ${failed} of ${count} images failed\n`);
    process.exitCode = ExitCode.someFailed;
  }
}

/** The images of the command line, listed as they are asked for. */
class NamedImages implements AsyncIterable<NamedImage> {
  readonly #paths: readonly string[];
  readonly #filesFrom: string | undefined;
  /** Standard input, until the paths before it have been listed. */
  readonly #pending: NamedImage[] = [];
  readonly #listing = listImages(this.#sources());

  constructor(paths: readonly string[], filesFrom: string | undefined) {
    this.#paths = paths;
    this.#filesFrom = filesFrom;
  }

  /** Numbers of pictures in formats that are not read, by extension. */
  get skipped(): ReadonlyMap<string, number> {
    return this.#listing.skipped;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<NamedImage> {
    for await (const { name, path, error } of this.#listing) {
      yield* this.#pending.splice(0);
      yield { name, image: listedImage(name, error ?? path) };
    }
    yield* this.#pending;
  }

  // The listing asks for a source when it has listed the one before.
  async *#sources(): AsyncGenerator<Source> {
    for (const path of this.#paths) {
      if (path === '-') this.#pending.push({ name: '-', image: process.stdin });
      // Not a path: its error says what to do.
      else if (schemeOf(path) !== undefined) this.#pending.push({ name: quote(path), image: path });
      else yield await Promise.resolve(path);
    }
    if (this.#filesFrom === undefined) return;
    yield { filesFrom: this.#filesFrom === '-' ? process.stdin : this.#filesFrom };
  }
}

function reportSkipped(skipped: ReadonlyMap<string, number>): void {
  if (skipped.size === 0) return;
  const files = [...skipped.values()].reduce((sum, count) => sum + count, 0);
  process.stderr.write(
    `ghostnet: ${files} ${files === 1 ? 'file' : 'files'} skipped: ${countsInWords(skipped)}\n`,
  );
}

function toJson({ input: { name: file }, result, error }: Outcome): string {
  if (error === undefined) return `${JSON.stringify({ file, classes: result })}\n`;
  const { code, message } = error;
  return `${JSON.stringify({ file, error: { code, message } })}\n`;
}

function toWords({ input, result, error }: Outcome): string {
  if (error !== undefined) return '';
  const classes = result.map(({ label, score }) => `${label} ${(score * 100).toFixed(1)} %`);
  return `${input.name}: ${classes.join(', ')}\n`;
}

// Waits for a slow reader, so that results do not accumulate in memory.
async function print(line: string): Promise<void> {
  if (line !== '' && !process.stdout.write(line)) await once(process.stdout, 'drain');
}

/** A line of progress on standard error, if it is a terminal and there are many images. */
class Progress {
  static readonly #many = 50;
  readonly #start = performance.now();
  #count = 0;
  #bar: SingleBar | undefined;

  /** Clears the line for other output; it reappears by itself. */
  clear(): void {
    if (this.#bar === undefined) return;
    process.stderr.cursorTo(0);
    process.stderr.clearLine(0);
  }

  advance(): void {
    this.#count += 1;
    if (this.#count === Progress.#many && process.stderr.isTTY) {
      // The listing goes on meanwhile, so that nobody knows the end.
      this.#bar = new SingleBar({
        format: '{value} images, {rate} a second',
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: true,
      });
      this.#bar.start(Number.MAX_SAFE_INTEGER, 0, { rate: '' });
    }
    const seconds = (performance.now() - this.#start) / 1000;
    this.#bar?.update(this.#count, { rate: Math.round(this.#count / seconds).toString() });
  }

  stop(): void {
    this.#bar?.stop();
  }
}
