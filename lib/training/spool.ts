import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkObject, checkText, invalidArgument, reading } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import { reasonOf } from '../files.js';
import type { ImageInput } from '../image/input.js';
import { loadSharp } from '../image/sharp.js';
import { sourceOf } from '../image/source.js';
import { byCodePoint, unreadable, type Dataset, type DatasetOptions, type LabelledFile } from './dataset.js';
import { tooFewClasses } from './faults.js';

/** An image with the name of its class. */
export interface LabelledImage {
  readonly image: ImageInput;
  readonly label: string;
}

/** Images that are no files become files in a folder of their own for the time of a training, since they are read more than once. */
export class Spool implements AsyncDisposable {
  #folder: string | undefined;

  /**
   * Takes in labelled images, one after another.
   *
   * @param maxImageBytes - the most bytes of an image
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_FILE_UNWRITABLE` if the folder for temporary files is full,
   * the reason of the signal, and what the iterable throws
   */
  async read(
    images: AsyncIterable<LabelledImage> | Iterable<LabelledImage>,
    { signal = new AbortController().signal, warn }: DatasetOptions,
    maxImageBytes: number,
  ): Promise<Dataset> {
    const found: (Omit<LabelledFile, 'label'> & { readonly label: string })[] = [];
    let number = 0;
    for await (const item of images) {
      signal.throwIfAborted();
      const { image, label } = reading(() => checkedItem(item));
      const name = nameOf(image) ?? `image ${number} of ${label}`;
      number += 1;
      try {
        found.push({ name, path: await this.#fileOf(image, signal, maxImageBytes), label });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof GhostNetError) || error.code === 'GHOSTNET_FILE_UNWRITABLE') throw error;
        if (error.code === 'GHOSTNET_INVALID_ARGUMENT') throw error;
        warn(unreadable(name, error));
      }
    }
    const classes = byCodePoint(new Set(found.map(({ label }) => label)));
    if (classes.length < 2) throw tooFewClasses('The data set', classes);
    const labels = new Map(classes.map((name, label) => [name, label]));
    return { classes, files: found.map((file) => ({ ...file, label: labels.get(file.label) ?? 0 })) };
  }

  /** Removes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #fileOf(image: ImageInput, signal: AbortSignal, maxImageBytes: number): Promise<string> {
    const opened = await sourceOf(image).open(signal, maxImageBytes);
    if ('path' in opened) return typeof opened.path === 'string' ? opened.path : opened.path.toString();
    const { bytes, width, height } = opened;
    if (width === undefined || height === undefined) return this.#write(bytes);
    const sharp = loadSharp();
    return this.#write(
      await sharp(bytes, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    );
  }

  async #write(bytes: Uint8Array): Promise<string> {
    try {
      this.#folder ??= await mkdtemp(join(tmpdir(), 'ghostnet-train-'));
      const path = join(this.#folder, randomUUID());
      await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
      return path;
    } catch (cause) {
      throw new GhostNetError('GHOSTNET_FILE_UNWRITABLE', 'The images of a training cannot be kept', {
        found: reasonOf(cause),
        expected: `a folder for temporary files with free space: ${tmpdir()}`,
        remedy: 'Set TMPDIR to another folder, or pass paths of files.',
        cause,
      });
    }
  }
}

function checkedItem(item: unknown): LabelledImage {
  checkObject('image', item);
  const { image, label } = item as LabelledImage;
  checkText('label', label);
  if (label === '') throw invalidArgument('The label of an image is empty', label, 'the name of a class');
  sourceOf(image);
  return { image, label };
}

function nameOf(image: ImageInput): string | undefined {
  if (typeof image === 'string') return image;
  return Object.prototype.toString.call(image) === '[object URL]' ? (image as URL).href : undefined;
}
