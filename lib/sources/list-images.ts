import { isUrl } from '../check/kinds.js';
import { checkFlag, checkObject, checkSignal, invalidArgument } from '../check/option.js';
import { Lister } from './lister.js';
import { Listing } from './listing.js';
import type { ListOptions, Source } from './source.js';

/**
 * Lists the images in files, folders, globs and lists of them, as a stream. Memory grows with the number of folders, by about
 * 100 bytes each, but not with the number of files. Whatever cannot be listed is an entry with an error in its place, and the
 * rest goes on.
 *
 * - Sources are listed one after another, in their order. A file that is named twice is listed twice.
 * - A **folder** is searched at any depth for files with the extensions of JPEG, PNG, WebP, AVIF, GIF and TIFF, in capital or
 *   small letters. Pictures in other formats are counted in {@link Listing.skipped}. Links are followed, and each real folder is
 *   walked once: links that make a circle end, and a folder inside one that was named before adds nothing.
 * - The **order** of a folder is that of the bytes of the paths, as of `LC_ALL=C sort`. Above 100,000 images and folders in
 *   one folder it is the order of its file system, which is the same as long as nothing in it changes.
 * - A **glob** lists the files that match, whatever their extension, and the images in folders that match, in the same order.
 *   It, too, follows links and ends.
 * - **Hidden** files and folders, whose names begin with a dot, are found only by their own name or a glob that has the dot.
 * - What is **not a regular file** (a FIFO, a socket, a device) is never opened: inside a folder it is passed over, named
 *   it is an error.
 *
 * @param sources - one source or several; the next is asked for when the one before has been listed
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`; the listing, for what is no source, also `GHOSTNET_ABORTED`
 */
export function listImages(
  sources: Source | Iterable<Source> | AsyncIterable<Source>,
  options: ListOptions = {},
): Listing {
  checkObject('options', options);
  checkSignal(options.signal);
  checkFlag('documents', options.documents);
  const end = new AbortController();
  const lister = new Lister(end.signal, undefined, options.documents);
  return new Listing(lister.list(severalOf(sources)), lister.skipped, end, options.signal);
}

function severalOf(
  sources: Source | Iterable<Source> | AsyncIterable<Source>,
): Iterable<Source> | AsyncIterable<Source> {
  // A string is iterable, too, but its characters are no sources.
  if (typeof sources === 'string') return [sources];
  checkObject('sources', sources);
  if (Symbol.iterator in sources || Symbol.asyncIterator in sources) return sources;
  if (isUrl(sources) || 'filesFrom' in sources) return [sources];
  throw invalidArgument(
    'The sources of images have an unsupported form',
    sources,
    'a path, a file: URL, { filesFrom } or an iterable of these',
  );
}
