import { unreadable } from './faults.js';
import { readFolder, type Entry, type Watch } from './folder.js';
import { concat, part, rawOf, toName, toPath, type RawPath } from './raw-path.js';
import type { Selection } from './selection.js';
import type { Listed } from './source.js';
import { identityOf } from './target.js';

/** A folder that a walk is in. */
interface Level {
  /** What precedes the names of its entries in their paths. */
  readonly prefix: RawPath;
  readonly selection: Selection;
  readonly portions: AsyncGenerator<readonly Entry[], void>;
  /** The rest of the current portion. */
  entries: Iterator<Entry, undefined>;
}

/**
 * Walks a folder and all below it, links followed, and yields what is selected. A folder is walked once, even if links or several
 * walks lead to it. Memory holds one portion of each folder on the way, and about 100 bytes for each folder of the tree.
 *
 * @returns whether there was anything to tell, or a folder that has been walked before
 */
export async function* walk(
  root: RawPath,
  selection: Selection,
  watch: Watch,
): AsyncGenerator<Listed, boolean> {
  const levels: Level[] = [];
  let met = false;
  const enter = async (folder: RawPath, prefix: RawPath, chosen: Selection): Promise<Listed | undefined> => {
    try {
      if (chosen.isNew(await identityOf(folder))) {
        const portions = readFolder(folder, prefix, chosen, watch);
        levels.push({ prefix, selection: chosen, portions, entries: noEntries() });
      } else met = true;
      return undefined;
    } catch (cause) {
      return unreadable('folder', toName(folder), cause);
    }
  };
  try {
    let listed = await enter(root, prefixOf(root), selection);
    for (;;) {
      if (listed !== undefined) {
        met = true;
        yield listed;
      }
      const level = levels.at(-1);
      if (level === undefined) return met;
      const next = level.entries.next();
      listed = undefined;
      if (next.done === true) {
        const portion = await level.portions.next();
        if (portion.done === true) levels.pop();
        else level.entries = portion.value.values();
        continue;
      }
      const entry = next.value;
      if (entry.fault !== undefined) {
        listed = entry.fault;
      } else if (entry.key.endsWith('/')) {
        const name = part(entry.key, 0, -1);
        const below = level.selection.enter(name);
        const path = concat(level.prefix, name);
        listed = below && (await enter(path, concat(level.prefix, entry.key), below));
      } else {
        const path = concat(level.prefix, entry.key);
        listed = { name: toName(path), path: toPath(path) };
      }
    }
  } finally {
    for (const { portions } of levels) await portions.return();
  }
}

function noEntries(): Iterator<Entry, undefined> {
  return [].values();
}

/** What precedes the names of the entries of a folder: the folder as it was given, without `./` in front. */
function prefixOf(root: RawPath): RawPath {
  const short = root.replace(/^(\.\/+)+/, '').replace(/\/+$/, '');
  if (short === '') return rawOf(root.startsWith('/') ? '/' : '');
  return (short === '.' ? '' : `${short}/`) as RawPath;
}
