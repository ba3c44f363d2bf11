import { mostGlobs, writtenOut } from './braces.js';
import { NameMatcher } from './name-matcher.js';
import { toText, type RawPath } from './raw-path.js';
import type { Images, Selection } from './selection.js';

/** One name of a glob: the name itself, what decides whether a name fits, or any number of folders. */
type Segment = RawPath | NameMatcher | typeof anyFolders;

const anyFolders = Symbol('**');

/** A glob, taken apart. */
export interface Glob {
  /** The folder in which the search begins. */
  readonly base: RawPath;
  readonly selection: Selection;
}

/** Bytes of a glob; no path is as long. */
const longestGlob = 16_384;

/** Brackets in a glob, each of which can hold others. */
const mostBrackets = 100;

/** Whether a path may have wildcards, however long it is. */
export function mayBeGlob(path: RawPath): boolean {
  return /[*?[{(]/.test(path);
}

/** Whether a path has wildcards. */
export function isGlob(path: RawPath): boolean {
  return (writtenOut(path)?.length ?? 0) > 1 || path.split('/').some(hasWildcards);
}

/** What of a glob exceeds a limit: what was found, and what is allowed. Without limits it could take time and memory without end. */
export function excessOf(glob: RawPath): { found: string; expected: string } | undefined {
  if (glob.length > longestGlob) {
    return { found: `${glob.length} bytes`, expected: `at most ${longestGlob}` };
  }
  const brackets = glob.match(/[({]/g)?.length ?? 0;
  if (brackets > mostBrackets) return { found: `${brackets} brackets`, expected: `at most ${mostBrackets}` };
  if (writtenOut(glob) !== undefined) return undefined;
  return { found: `braces that stand for more than ${mostGlobs} globs`, expected: `at most ${mostGlobs}` };
}

function hasWildcards(name: string): boolean {
  return new NameMatcher(toText(name as RawPath)).isGlob;
}

/**
 * Takes a glob apart. It lists files that match, whatever their extension, and the images in folders that match.
 *
 * @param images - what the images in a folder are
 * @returns undefined for a path without wildcards
 */
export function parseGlob(glob: RawPath, images: Images): Glob | undefined {
  const names = glob.split('/') as RawPath[];
  const first = names.findIndex(hasWildcards);
  if (first === -1) return undefined;
  const base = names.slice(0, first).map(literalOf);
  // Nothing is the working directory; nothing with a slash behind it is the root.
  const folder = base.length === 0 ? '.' : base.join('/') || '/';
  const segments = names
    .slice(first)
    .filter((name, index, all) => name !== '' && name !== '.' && !(name === '**' && all[index - 1] === '**'))
    .map(segmentOf);
  return { base: folder as RawPath, selection: new Matches(segments, images) };
}

function segmentOf(name: RawPath): Segment {
  if (name === '**') return anyFolders;
  const matcher = new NameMatcher(toText(name));
  return matcher.isGlob ? matcher : literalOf(name);
}

/** The path that a glob without wildcards names. */
export function literalOf(name: RawPath): RawPath {
  return name.replace(/\\(.)/gs, '$1') as RawPath;
}

/**
 * The files that match a glob. A walk knows how much of the glob the way to its folder has used up, in every way it can.
 */
class Matches implements Selection {
  /**
   * @param segments - the glob
   * @param images - what is listed in a folder that matches
   * @param walked - the folders that have been walked for this glob
   * @param next - indices of the segments that can come next
   * @param inside - whether this folder, or one above it, matches
   */
  constructor(
    private readonly segments: readonly Segment[],
    private readonly images: Images,
    private readonly walked = new Set<string>(),
    private readonly next: readonly number[] = [0],
    private readonly inside = false,
  ) {}

  judge(name: RawPath): 'list' | 'count' | 'ignore' {
    if (this.#matches(this.#after(name))) return 'list';
    return this.inside ? this.images.judge(name) : 'ignore';
  }

  enter(name: RawPath): Selection | undefined {
    const next = this.#after(name);
    const inside = this.#matches(next) || (this.inside && this.images.enter(name) !== undefined);
    if (next.every((index) => index === this.segments.length)) return inside ? this.images : undefined;
    return new Matches(this.segments, this.images, this.walked, next, inside);
  }

  isNew(folder: string): boolean {
    // A folder that is reached in two ways can match in one and not in the other.
    const key = `${folder}:${this.next.join()}:${this.inside}`;
    const before = this.walked.size;
    return this.walked.add(key).size > before;
  }

  #matches(next: readonly number[]): boolean {
    // What is left may be nothing but '**', which stands for no folder as well.
    return next.some((index) => this.segments.slice(index).every((segment) => segment === anyFolders));
  }

  #after(name: RawPath): number[] {
    const next = new Set<number>();
    const text = toText(name);
    for (const start of this.next) {
      for (let index = start; index < this.segments.length; index++) {
        const segment = this.segments[index];
        if (segment !== anyFolders) {
          if (segment instanceof NameMatcher ? segment.matches(text) : segment === name) next.add(index + 1);
          break;
        }
        if (!name.startsWith('.')) next.add(index);
      }
    }
    return [...next].sort((a, b) => a - b);
  }
}
