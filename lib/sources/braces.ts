import { concat, part, type RawPath } from './raw-path.js';

/**
 * The globs that a glob stands for when braces that hold a `/` are written out, as a shell does: `{a,b/c}/*.jpg` is `a/*.jpg`
 * and `b/c/*.jpg`. Other braces concern one name and stay.
 */
export function* writtenOut(glob: RawPath): Generator<RawPath> {
  for (let open = 0; open < glob.length; open++) {
    if (glob[open] === '\\') open += 1;
    else if (glob[open] === '{') {
      const parts = partsOf(glob, open);
      if (parts?.names.some((name) => name.includes('/')) !== true) continue;
      const before = part(glob, 0, open);
      for (const name of parts.names) yield* writtenOut(concat(before, name, parts.after));
      return;
    }
  }
  yield glob;
}

/** The alternatives of the brace that opens here, and what follows it; undefined if it never closes or has only one. */
function partsOf(glob: RawPath, open: number): { names: RawPath[]; after: RawPath } | undefined {
  const names: RawPath[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < glob.length; at++) {
    const character = glob[at];
    if (character === '\\') at += 1;
    else if (character === '{') depth += 1;
    else if (depth === 1 && (character === ',' || character === '}')) {
      names.push(part(glob, start, at));
      start = at + 1;
      if (character === '}') return names.length < 2 ? undefined : { names, after: part(glob, start) };
    } else if (character === '}') depth -= 1;
  }
  return undefined;
}
