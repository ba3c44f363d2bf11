import type { GhostNetError } from '../errors.js';

/**
 * A place to list images from: the path or `file:` URL of a file or a folder, a glob, or a list of such paths.
 *
 * A string that names something that exists is a path, even if it looks like a glob. In a glob, `*` and `?` stand for
 * characters of a name, `**` for any number of folders, `[a-z]` and `{jpg,png}` for alternatives; `\` takes the meaning from
 * the next character.
 */
export type Source = string | URL | SourceList;

/** A list of paths: a file, or a stream of bytes. */
export interface SourceList {
  /**
   * One path a line, never a glob, in the bytes of the file system; a line may end with CR LF, and the last one with nothing. A stream
   * is destroyed when the listing ends.
   */
  readonly filesFrom: string | URL | NodeJS.ReadableStream;
  /** What ends a line. Default `'\n'`. `'\0'` is what `find -print0` writes, for names that contain line breaks. */
  readonly separator?: '\n' | '\0';
}

/** Options of {@link listImages}. */
export interface ListOptions {
  /** Ends the listing at once, whatever it waits for. */
  readonly signal?: AbortSignal;
  /** Whether SVG in folders is listed, too. Default false: it is counted as passed over. */
  readonly documents?: boolean;
}

/** A file to read. */
export interface ListedFile {
  /**
   * The path as it was given, or the folder as it was given with the way from there. Bytes that are not UTF-8 are shown as in
   * `caf\xE9.jpg`.
   */
  readonly name: string;
  /** The path for `node:fs`: bytes if the name is not UTF-8. */
  readonly path: string | Buffer;
  readonly error?: undefined;
}

/** A source, or a part of it, that cannot be listed. */
export interface ListedFault {
  /** The path as it was given, as in {@link ListedFile}, or the place in a list, as in `list.txt:7`. */
  readonly name: string;
  readonly path?: undefined;
  /**
   * `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`; `GHOSTNET_INVALID_ARGUMENT` for a URL that names no file, and for a glob
   * of more than 16,384 bytes or 100 brackets, or whose braces stand for more than 1,000 globs.
   */
  readonly error: GhostNetError;
}

/** An entry of a listing. */
export type Listed = ListedFile | ListedFault;
