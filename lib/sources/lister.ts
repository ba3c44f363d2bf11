import { isUrl } from '../check/kinds.js';
import { invalidArgument } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import { pathOf } from '../files.js';
import { writtenOut } from './braces.js';
import {
  emptyName,
  isMissing,
  mayHideGlob,
  noImages,
  noMatch,
  notRegular,
  tooComplex,
  unreadable,
} from './faults.js';
import type { Watch } from './folder.js';
import { excessOf, isGlob, literalOf, mayBeGlob, parseGlob } from './glob.js';
import { rawOf, toName, toPath, type RawPath } from './raw-path.js';
import { Images } from './selection.js';
import { isList, placesIn } from './source-list.js';
import type { Listed, Source, SourceList } from './source.js';
import { targetOf, type Target } from './target.js';
import { walk } from './walk.js';

type Counts = Map<string, number>;

/** Lists sources, and remembers which folders it has walked. */
export class Lister {
  /** The pictures that were passed over, by extension. */
  readonly skipped: Counts = new Map();
  readonly #images: Images;
  readonly #signal: AbortSignal;
  readonly #mostSorted: number;

  /**
   * @param signal - ends all listing
   * @param mostSorted - how many images and folders of one folder are sorted
   * @param withDocuments - whether SVG in folders is listed
   */
  constructor(signal: AbortSignal, mostSorted = 100_000, withDocuments = false) {
    this.#signal = signal;
    this.#images = new Images(withDocuments);
    this.#mostSorted = mostSorted;
  }

  /** The entries of all sources, one source after another. The next one is asked for when they are used up. */
  async *list(sources: Iterable<Source> | AsyncIterable<Source>): AsyncGenerator<Listed, undefined> {
    for await (const source of sources) {
      this.#signal.throwIfAborted();
      if (typeof source === 'string') yield* this.#path(source);
      else if (isUrl(source)) yield* this.#url(source);
      else if (isList(source)) yield* this.#lines(source);
      else {
        const expected = 'a path, a file: URL, or { filesFrom } with a path, a file: URL or a stream';
        throw invalidArgument('A source of images has an unsupported form', source, expected);
      }
    }
  }

  async *#path(path: string): AsyncGenerator<Listed, undefined> {
    const raw = rawOf(path);
    yield* this.#place(raw, await targetOf(raw));
  }

  async *#url(url: URL): AsyncGenerator<Listed, undefined> {
    let path: string;
    try {
      path = pathOf(url);
    } catch (error) {
      if (!(error instanceof GhostNetError)) throw error;
      yield { name: url.href, error };
      return;
    }
    yield* this.#path(path);
  }

  async *#place(path: RawPath, { kind, cause }: Target): AsyncGenerator<Listed, undefined> {
    const name = toName(path);
    if (path === '') yield emptyName();
    else if (kind === 'file') yield { name, path: toPath(path) };
    else if (kind === 'folder') yield* this.#folder(path);
    else if (kind !== undefined) yield notRegular(name, kind);
    else if (mayHideGlob(cause) && mayBeGlob(path)) yield* this.#missing(path, cause);
    else yield unreadable('file', name, cause);
  }

  /** A path at which there is nothing, and which looks like a glob. */
  async *#missing(path: RawPath, cause: unknown): AsyncGenerator<Listed, undefined> {
    const excess = excessOf(path);
    if (excess !== undefined) yield tooComplex(toName(path), excess);
    else if (isGlob(path)) yield* this.#glob(path);
    else yield unreadable('file', toName(path), cause);
  }

  async *#folder(path: RawPath): AsyncGenerator<Listed, undefined> {
    const counts: Counts = new Map();
    const met = yield* walk(path, this.#images, this.#watch(counts));
    if (!met) yield noImages(toName(path), counts);
  }

  async *#glob(path: RawPath): AsyncGenerator<Listed, undefined> {
    const counts: Counts = new Map();
    let met = false;
    for (const glob of writtenOut(path) ?? []) {
      const metHere = yield* this.#matches(glob, counts);
      met ||= metHere;
    }
    if (!met) yield noMatch(toName(path), counts);
  }

  /** The files that match a glob without braces across folders. @returns whether there was anything to tell */
  async *#matches(path: RawPath, counts: Counts): AsyncGenerator<Listed, boolean> {
    const glob = parseGlob(path, this.#images);
    const base = glob?.base ?? literalOf(path);
    const target = await targetOf(base);
    // Nothing is in a folder that is missing, or below a file.
    if (isMissing(target.cause)) return false;
    if (glob === undefined) yield* this.#place(base, target);
    else if (target.kind === 'folder') return yield* walk(base, glob.selection, this.#watch(counts));
    else if (target.kind === undefined) yield unreadable('folder', toName(base), target.cause);
    else return false;
    return true;
  }

  async *#lines(list: SourceList): AsyncGenerator<Listed, undefined> {
    for await (const line of placesIn(list, this.#signal)) {
      if ('error' in line) yield line;
      // A line is a path even if it looks like a glob: each has one result, unless it names a folder.
      else if (line.target.kind === undefined) yield unreadable('file', toName(line.path), line.target.cause);
      else yield* this.#place(line.path, line.target);
    }
  }

  #watch(counts: Counts): Watch {
    return {
      mostSorted: this.#mostSorted,
      check: () => {
        this.#signal.throwIfAborted();
      },
      onSkipped: (extension) => {
        for (const map of [counts, this.skipped]) map.set(extension, (map.get(extension) ?? 0) + 1);
      },
    };
  }
}
