import { Command, InvalidArgumentError, Option } from 'commander';

import { quote } from '../check/words.js';
import type { WeightsChoice } from '../checkpoint/index.js';
import type { ImageInput } from '../image/input.js';
import { listedImage, schemeOf } from '../image/source.js';
import { GhostNet } from '../model/ghostnet.js';
import type { Precision } from '../model/precision.js';
import type { Device } from '../native/device.js';
import type { ClassScore, StreamResult } from '../pipeline/index.js';
import { countsInWords } from '../sources/formats.js';
import { listImages } from '../sources/list-images.js';
import type { Listing } from '../sources/listing.js';
import type { Source } from '../sources/source.js';
import { ExitCode, exitCodeHelp } from './exit-codes.js';
import { print, printJson, report, reportError } from './output.js';
import { ProgressLine } from './progress-line.js';
import {
  allowNonFiniteOption,
  deviceOption,
  jsonOption,
  maxFileBytesOption,
  modelOption,
  parseCount,
  precisionOption,
  prefixOption,
  weightsOption,
  threadsOption,
} from './shared-options.js';

interface Options {
  readonly model?: string;
  readonly allowNonFinite?: boolean;
  readonly weights: WeightsChoice;
  readonly prefix?: string;
  readonly maxFileBytes?: number;
  readonly topK?: number;
  readonly json?: boolean;
  readonly batchSize?: number;
  readonly device: Device;
  readonly threads?: number;
  readonly precision: Precision;
  readonly colorProfile: 'ignore' | 'apply';
  readonly decode: 'exact' | 'fast';
  readonly decoder: 'auto' | 'sharp';
  readonly maxImageBytes?: number;
  readonly maxPixels?: number;
  readonly documents?: boolean;
  readonly filesFrom?: string;
}

/** From so many images on, there is a line of progress. */
const many = 50;

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
    .addOption(allowNonFiniteOption())
    .addOption(weightsOption())
    .addOption(prefixOption())
    .addOption(maxFileBytesOption())
    .option('-k, --top-k <n>', 'classes per image (default: 5, or all if there are fewer)', parseCount)
    .addOption(jsonOption('JSON lines'))
    .option('--files-from <file>', 'read paths from a file, one per line; - is standard input')
    .option('--batch-size <n>', 'images per batch, at most 1024 (default: 16)', parseBatchSize)
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
    .option('--max-image-bytes <n>', 'the most bytes of an image file (default: 256000000)', parseCount)
    .option('--max-pixels <n>', 'the most pixels of an image (default: 50000000)', parseCount)
    .option('--documents', 'render SVG, too: only for files that you trust')
    .addHelpText('after', exitCodeHelp)
    .action(classify);
}

/** A whole number from 1 to 1024, as the option maxBatch of a pipeline. */
function parseBatchSize(text: string): number {
  const value = parseCount(text);
  if (value <= 1024) return value;
  throw new InvalidArgumentError('Expected a whole number from 1 to 1024.');
}

async function classify(paths: string[], options: Options, command: Command): Promise<void> {
  const {
    model: source,
    allowNonFinite,
    weights,
    prefix,
    maxFileBytes,
    device,
    threads,
    topK,
    batchSize,
    colorProfile,
    decode,
    decoder,
    maxImageBytes,
    maxPixels,
    documents = false,
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
    documents,
    device,
    precision,
    ...(threads === undefined ? {} : { threads }),
    ...(maxImageBytes === undefined ? {} : { maxImageBytes }),
    ...(maxPixels === undefined ? {} : { maxPixels }),
    ...(allowNonFinite === undefined ? {} : { allowNonFinite }),
    weights,
    ...(prefix === undefined ? {} : { prefix }),
    ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
  });
  const pipeline = model.pipeline({
    ...(topK === undefined ? {} : { topK }),
    ...(batchSize === undefined ? {} : { maxBatch: batchSize }),
  });
  const images = new NamedImages(paths, filesFrom, documents);
  const progress = new ProgressLine('{value} images, {rate} a second');
  let count = 0;
  let failed = 0;
  try {
    for await (const outcome of pipeline.stream(images)) {
      const { name } = outcome.input;
      count += 1;
      progress.clear();
      if (outcome.error !== undefined) {
        failed += 1;
        reportError(outcome.error, name);
      }
      if (json) await printJson(toJson(outcome));
      else if (outcome.error === undefined) print(toWords(name, outcome.result));
      if (count >= many) progress.show(count);
    }
  } finally {
    progress.stop();
    model.dispose();
  }
  reportSkipped(images.skipped);
  if (count === 0) command.error('error: no images found.');
  if (failed > 0) {
    if (count > 1) report(`ghostnet: ${failed} of ${count} images failed`);
    process.exitCode = ExitCode.someFailed;
  }
}

/** The images of the command line, listed as they are asked for. */
class NamedImages implements AsyncIterable<NamedImage> {
  readonly #paths: readonly string[];
  readonly #filesFrom: string | undefined;
  /** Standard input, until the paths before it have been listed. */
  readonly #pending: NamedImage[] = [];
  readonly #listing: Listing;

  constructor(paths: readonly string[], filesFrom: string | undefined, documents: boolean) {
    this.#paths = paths;
    this.#filesFrom = filesFrom;
    this.#listing = listImages(this.#sources(), { documents });
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
  report(`ghostnet: ${files} ${files === 1 ? 'file' : 'files'} skipped: ${countsInWords(skipped)}`);
}

function toJson({ input: { name: file }, result, error }: Outcome): object {
  if (error === undefined) return { file, classes: result };
  const { code, message } = error;
  return { file, error: { code, message } };
}

function toWords(name: string, result: readonly ClassScore[]): string {
  const classes = result.map(({ label, score }) => `${label} ${(score * 100).toFixed(1)} %`);
  return `${name}: ${classes.join(', ')}`;
}
