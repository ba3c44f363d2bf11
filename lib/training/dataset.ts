import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { GhostNetError } from '../errors.js';
import { codeOfReading, reasonOf } from '../files.js';
import { countsInWords, formatOf } from '../sources/formats.js';
import { listImages } from '../sources/list-images.js';
import { rawOf } from '../sources/raw-path.js';
import { dividedFolder, tooFewClasses } from './faults.js';
import type { TrainWarning } from './types.js';

/** An image and its class, before it is read. */
export interface LabelledFile {
  /** The path as it is shown. */
  readonly name: string;
  readonly path: string;
  readonly label: number;
}

/** Labelled images. */
export interface Dataset {
  /** The names of the classes, by code point: the index is the label. */
  readonly classes: readonly string[];
  readonly files: readonly LabelledFile[];
}

/** How a data set is read. */
export interface DatasetOptions {
  readonly signal?: AbortSignal | undefined;
  readonly warn: (warning: TrainWarning) => void;
}

/**
 * The images of a folder with a folder for each class. The images of a class are those that `listImages` finds in its folder, at any
 * depth. Hidden folders are no classes.
 *
 * @param known - the classes that there may be, for a second folder; by default those with images
 * @throws {@link GhostNetError} `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_INVALID_ARGUMENT` if there are fewer
 * than two classes, `GHOSTNET_ABORTED`
 */
export async function readFolderByClass(
  folder: string,
  options: DatasetOptions,
  known?: readonly string[],
): Promise<Dataset> {
  const { folders, files } = await entriesOf(folder);
  if (known === undefined) refuseParts(folder, folders);
  if (files > 0) {
    options.warn({
      kind: 'no class',
      name: folder,
      message: `${folder}: ${inWords(files, 'image')} beside the folders of the classes ${files === 1 ? 'has' : 'have'} no class`,
    });
  }
  const found = new Map<string, LabelledFile[]>();
  const skipped = new Map<string, number>();
  for (const name of folders) {
    const images = await imagesOf(join(folder, name), options, skipped);
    if (images.length > 0) found.set(name, images);
    else warnOfEmpty(join(folder, name), options);
  }
  if (skipped.size > 0) {
    options.warn({
      kind: 'format',
      name: folder,
      message: `${folder}: pictures in formats that are not read: ${countsInWords(skipped)}`,
    });
  }
  const classes = known ?? byCodePoint(found.keys());
  if (classes.length < 2) throw tooFewClasses(`The folder ${folder}`, classes);
  const labels = new Map(classes.map((name, label) => [name, label]));
  const all: LabelledFile[] = [];
  for (const [name, images] of found) {
    const label = labels.get(name);
    if (label === undefined) throw unknownClass(join(folder, name), classes);
    for (const image of images) all.push({ ...image, label });
  }
  return { classes, files: all };
}

/** Names in the order of their code points, the same on every machine. */
export function byCodePoint(names: Iterable<string>): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The folders in a folder, and the number of images beside them. */
async function entriesOf(folder: string): Promise<{ folders: string[]; files: number }> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const folders: string[] = [];
    let files = 0;
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(folder, entry.name)))))
        folders.push(entry.name);
      else if (formatOf(rawOf(entry.name), false) === 'read') files += 1;
    }
    return { folders: byCodePoint(folders), files };
  } catch (cause) {
    throw new GhostNetError(codeOfReading(cause), `The folder ${folder} cannot be read`, {
      found: reasonOf(cause),
      expected: 'a folder that contains a folder for each class',
      cause,
    });
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );

async function imagesOf(
  folder: string,
  { signal, warn }: DatasetOptions,
  skipped: Map<string, number>,
): Promise<LabelledFile[]> {
  const images: LabelledFile[] = [];
  const listing = listImages([folder], signal === undefined ? {} : { signal });
  for await (const { name, path, error } of listing) {
    if (typeof path === 'string') images.push({ name, path, label: 0 });
    else if (error === undefined) warn(unreadable(name, notUtf8(name)));
    // A folder without images is told of as a class.
    else if (name !== folder || error.code !== 'GHOSTNET_FILE_NOT_FOUND') warn(unreadable(name, error));
  }
  for (const [extension, count] of listing.skipped)
    skipped.set(extension, (skipped.get(extension) ?? 0) + count);
  return images;
}

function warnOfEmpty(name: string, { warn }: DatasetOptions): void {
  warn({ kind: 'empty class', name, message: `${name}: no images, so it is no class` });
}

/** What is told of an image that a training does without. */
export function unreadable(name: string, { message, code }: GhostNetError): TrainWarning {
  return { kind: 'unreadable', name, message: `${name}: ${message}`, code };
}

function notUtf8(name: string): GhostNetError {
  return new GhostNetError('GHOSTNET_FILE_UNREADABLE', `The name ${name} is not UTF-8`, {
    remedy: 'Rename the file.',
  });
}

const parts = new Set(['train', 'training', 'val', 'valid', 'validation', 'test', 'dev']);

function refuseParts(folder: string, folders: readonly string[]): void {
  const isDivided = folders.length >= 2 && folders.every((name) => parts.has(name.toLowerCase()));
  if (!isDivided) return;
  const first = (name: string): number => (name.toLowerCase().startsWith('train') ? 0 : 1);
  throw dividedFolder(
    folder,
    [...folders].sort((a, b) => first(a) - first(b)),
  );
}

function unknownClass(name: string, classes: readonly string[]): GhostNetError {
  const shown = classes.slice(0, 5).join(', ') + (classes.length > 5 ? ', ...' : '');
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `${name} is none of the classes of the training`, {
    expected: `the classes ${shown}`,
    remedy: 'Remove the folder from the validation, or add images of the class to the training.',
  });
}

/** A number with its noun. */
export function inWords(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
