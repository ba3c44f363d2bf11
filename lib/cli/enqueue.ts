import { open, readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';

import { Command } from 'commander';

import { quote } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { readBytes } from '../files.js';
import { schemeOf } from '../image/source.js';
import type { AddProgress, ImageReference } from '../queue/index.js';
import { countsInWords } from '../sources/formats.js';
import { listImages } from '../sources/list-images.js';
import type { Listing } from '../sources/listing.js';
import type { Source } from '../sources/source.js';
import { ExitCode, exitCodesInWords } from './exit-codes.js';
import { printJson, report, reportError } from './output.js';
import { ProgressLine } from './progress-line.js';
import { queueOption, redisOption, withQueue, type QueueOptions } from './queue-options.js';
import { parseCount } from './shared-options.js';

interface Options extends QueueOptions {
  readonly root: string;
  readonly filesFrom?: string;
  readonly urlsFrom?: string;
  readonly content?: boolean;
  readonly maxWaiting?: number;
  readonly maxImageBytes: number;
}

const exitCodes = exitCodesInWords({
  0: 'success',
  1: 'some sources could not be added, or it was interrupted',
  2: 'wrong usage, or nothing to do',
  3: 'Redis or the package cannot be used',
});

/** `ghostnet enqueue` */
export function enqueueCommand(): Command {
  return new Command('enqueue')
    .summary('fill a queue of images for workers')
    .description(
      'Adds images to a queue, one job each. An image that the queue has, or has had, is not added again: after an interruption,\n' +
        'give the same command once more.',
    )
    .argument('[sources...]', 'image files, folders (searched for images), globs, or URLs')
    .addOption(redisOption())
    .addOption(queueOption())
    .option('--files-from <file>', 'read paths from a file, one per line; - is standard input')
    .option('--urls-from <file>', 'read URLs from a file, one per line; - is standard input')
    .option('--root <folder>', 'the folder from which the workers see the paths', '.')
    .option('--content', 'put the content of the files into Redis, for workers that do not see the files')
    .option('--max-waiting <n>', 'wait while so many jobs wait (default: 1000000)', parseCount)
    .option('--max-image-bytes <n>', 'the most bytes of a file, with --content', parseCount, 50_000_000)
    .addHelpText('after', exitCodes)
    .action(enqueue);
}

async function enqueue(sources: string[], options: Options, command: Command): Promise<void> {
  const { filesFrom, urlsFrom, maxWaiting } = options;
  if (filesFrom === '-' && urlsFrom === '-') command.error('error: standard input can be read only once');
  if (sources.length === 0 && filesFrom === undefined && urlsFrom === undefined)
    command.error('error: no images named. Pass image files, folders, globs or URLs.');
  const references = new References(sources, options);
  const progress = new ProgressLine('{value} images, {rate} a second{note}');
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  let last: AddProgress = { added: 0, present: 0, isHeldUp: false };
  try {
    await withQueue(options, async (queue) => {
      last = await queue.add(references, {
        ...(maxWaiting === undefined ? {} : { maxWaiting }),
        signal: stop.signal,
        onProgress: ({ added, present, isHeldUp }) => {
          progress.show(added + present, {
            note: isHeldUp ? '; the queue is full, waiting for workers' : '',
          });
        },
      });
    });
  } finally {
    progress.stop();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  const { added, present } = last;
  await printJson({ queue: options.queue, added, present, failed: references.failed });
  const { skipped } = references;
  if (skipped.size > 0) report(`ghostnet: skipped: ${countsInWords(skipped)}`);
  if (stop.signal.aborted) {
    report('ghostnet: interrupted; the same command goes on');
    process.exitCode = ExitCode.someFailed;
  } else if (references.failed > 0) process.exitCode = ExitCode.someFailed;
  else if (added + present === 0) command.error('error: no images found.');
}

/** The images of the command line, as references for a queue. What cannot be one is reported, and the rest goes on. */
class References implements AsyncIterable<ImageReference> {
  failed = 0;
  readonly #paths: readonly string[];
  readonly #urls: readonly string[];
  readonly #options: Options;
  readonly #listing: Listing;

  constructor(sources: readonly string[], options: Options) {
    const isUrl = (source: string): boolean => ['http', 'https'].includes(schemeOf(source) ?? '');
    this.#urls = sources.filter(isUrl);
    this.#paths = sources.filter((source) => !isUrl(source));
    this.#options = options;
    const { filesFrom } = options;
    const lists =
      filesFrom === undefined ? [] : [{ filesFrom: filesFrom === '-' ? process.stdin : filesFrom }];
    this.#listing = listImages([...this.#paths, ...lists] as Source[]);
  }

  get skipped(): ReadonlyMap<string, number> {
    return this.#listing.skipped;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ImageReference> {
    for (const url of this.#urls) yield* this.#url(url);
    for await (const { name, path, error } of this.#listing) {
      if (error !== undefined) this.#report(error, name);
      else yield* this.#file(name, path);
    }
    const { urlsFrom } = this.#options;
    if (urlsFrom === undefined) return;
    const lines = urlsFrom === '-' ? linesOf(process.stdin) : linesOfFile(urlsFrom);
    for await (const line of lines) if (line !== '') yield* this.#url(line);
  }

  *#url(text: string): Generator<ImageReference> {
    const isUrl = URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
    if (isUrl && text.length <= 8_192) yield { url: text };
    else {
      this.#report(
        new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'A line is no URL', {
          expected: 'https://host/path, at most 8192 characters',
        }),
        quote(text.split('?')[0] ?? ''),
      );
    }
  }

  async *#file(name: string, path: string | Buffer): AsyncGenerator<ImageReference> {
    const { content = false, root, maxImageBytes } = this.#options;
    try {
      if (content) {
        const bytes =
          typeof path === 'string'
            ? await readBytes(path, { maxFileBytes: maxImageBytes })
            : await readFile(path);
        yield { bytes, name };
        return;
      }
      yield { path: pathBelow(root, path) };
    } catch (error) {
      if (!(error instanceof GhostNetError)) throw error;
      this.#report(error, name);
    }
  }

  #report(error: GhostNetError, name: string): void {
    this.failed += 1;
    reportError(error, name);
  }
}

/** A path from the root folder, as a job has it. @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
function pathBelow(root: string, path: string | Buffer): string {
  if (typeof path !== 'string') {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'A name that is not UTF-8 cannot be in a job', {
      remedy: 'Rename the file, or pass --content, which sends the file itself.',
    });
  }
  const below = relative(resolve(root), resolve(path));
  if (below !== '' && !below.startsWith('..')) return below;
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The file is outside the root folder', {
    found: quote(below),
    expected: 'a file below the folder that --root names',
    remedy:
      'Pass the folder from which the workers see their paths as --root, here and to `ghostnet worker`.',
  });
}

async function* linesOfFile(path: string): AsyncGenerator<string> {
  const handle = await open(path).catch((cause: unknown) => {
    throw new GhostNetError('GHOSTNET_FILE_UNREADABLE', `The list ${path} cannot be read`, { cause });
  });
  try {
    yield* handle.readLines();
  } finally {
    await handle.close();
  }
}

async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  const { createInterface } = await import('node:readline');
  yield* createInterface({ input: stream });
}
