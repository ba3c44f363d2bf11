import { concat, part, type RawPath } from './raw-path.js';

/** The most globs that the braces of one glob stand for: their number can be exponential in its length. */
export const mostGlobs = 1_000;

/**
 * The globs that a glob stands for when braces that hold a `/` are written out, as a shell does: `{a,b/c}/*.jpg` is `a/*.jpg`
 * and `b/c/*.jpg`. Other braces concern one name and stay.
 *
 * @returns undefined if there are more than {@link mostGlobs}
 */
export function writtenOut(glob: RawPath): readonly RawPath[] | undefined {
  const done: RawPath[] = [];
  const left = [glob];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const brace = firstBrace(next);
    if (brace === undefined) {
      done.push(next);
      continue;
    }
    const { commas, open, close } = brace;
    if (done.length + left.length + commas.length + 1 > mostGlobs) return undefined;
    const [before, after] = [part(next, 0, open), part(next, close + 1)];
    const starts = [open, ...commas].map((at) => at + 1);
    const ends = [...commas, close];
    for (let name = ends.length - 1; name >= 0; name -= 1) {
      left.push(concat(before, part(next, starts[name] ?? 0, ends[name]), after));
    }
  }
  return done;
}

/** A brace in a glob, by the places of its characters. */
interface Brace {
  readonly open: number;
  readonly close: number;
  readonly commas: readonly number[];
}

/** The first brace that closes, has several alternatives and holds a `/`. */
function firstBrace(glob: RawPath): Brace | undefined {
  const opened: { readonly open: number; readonly commas: number[] }[] = [];
  let first: Brace | undefined;
  let lastSlash = -1;
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob[at];
    if (character === '\\') at += 1;
    else if (character === '/') lastSlash = at;
    else if (character === '{') opened.push({ open: at, commas: [] });
    else if (character === ',') opened.at(-1)?.commas.push(at);
    else if (character === '}') {
      const { open, commas } = opened.pop() ?? { open: at, commas: [] };
      const isFirst = first === undefined || open < first.open;
      if (isFirst && commas.length > 0 && lastSlash > open) first = { open, commas, close: at };
    }
  }
  return first;
}
