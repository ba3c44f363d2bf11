import type { Dir, Dirent, OpenDirOptions } from 'node:fs';
import { opendir } from 'node:fs/promises';

import { unreadable } from './faults.js';
import { extensionOf } from './formats.js';
import { concat, rawOf, rawSlice, toBytes, toName, type RawPath } from './raw-path.js';
import type { Selection } from './selection.js';
import type { ListedFault } from './source.js';
import { targetOf } from './target.js';

/** What a folder holds: a file, a folder, whose key ends with a slash, or something that cannot be read. */
export interface Entry {
  /** The name. In the order of the keys, all paths of a tree are sorted, since a folder compares by its slash. */
  readonly key: RawPath;
  readonly fault?: ListedFault;
}

/** What a walk reports and heeds on its way. */
export interface Watch {
  /** Called for each picture that is passed over, with its extension. */
  readonly onSkipped: (extension: string) => void;
  /** Throws if the walk is to end. */
  readonly check: () => void;
  /** A folder with more entries that the selection takes is listed in the order of its file system. */
  readonly mostSorted: number;
}

const portionSize = 256;
const slash = rawOf('/');

/**
 * Reads one folder in portions: sorted and in one portion, unless it has more than {@link Watch.mostSorted} entries. A sorted
 * folder is closed before its entries are yielded.
 *
 * @param folder - its path
 * @param prefix - what precedes the names of its entries in their paths
 */
export async function* readFolder(
  folder: RawPath,
  prefix: RawPath,
  selection: Selection,
  watch: Watch,
): AsyncGenerator<readonly Entry[], void> {
  const failed = (cause: unknown): Entry => ({
    key: rawOf(''),
    fault: unreadable('folder', toName(folder), cause),
  });
  let dir: Dir;
  try {
    dir = await openFolder(folder);
  } catch (cause) {
    yield [failed(cause)];
    return;
  }
  let entries: Entry[] = [];
  let few = true;
  let portion: Portion = { dirents: [], isLast: false };
  try {
    while (!portion.isLast) {
      watch.check();
      portion = await nextPortion(dir);
      for (const entry of await entriesOf(portion.dirents, prefix, selection, watch)) entries.push(entry);
      few &&= entries.length <= watch.mostSorted;
      if (few || entries.length === 0) continue;
      yield entries;
      entries = [];
    }
  } finally {
    await dir.close();
  }
  if (few) entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  if (portion.cause !== undefined) entries.push(failed(portion.cause));
  if (entries.length > 0) yield entries;
}

function openFolder(folder: RawPath): Promise<Dir> {
  // Node's types do not know this encoding. A name as text would be damaged if it were not UTF-8.
  const options = { encoding: 'buffer', bufferSize: portionSize } as unknown as OpenDirOptions;
  return opendir(toBytes(folder), options);
}

/** Some entries of a folder. */
interface Portion {
  readonly dirents: readonly Dirent[];
  readonly isLast: boolean;
  /** Why the folder cannot be read to its end. */
  readonly cause?: unknown;
}

async function nextPortion(dir: Dir): Promise<Portion> {
  const dirents: Dirent[] = [];
  try {
    while (dirents.length < portionSize) {
      const dirent = await dir.read();
      if (dirent === null) return { dirents, isLast: true };
      dirents.push(dirent);
    }
    return { dirents, isLast: false };
  } catch (cause) {
    return { dirents, isLast: true, cause };
  }
}

/** The entries that are selected, in the order of the file system. */
async function entriesOf(
  dirents: readonly Dirent[],
  prefix: RawPath,
  selection: Selection,
  watch: Watch,
): Promise<Entry[]> {
  const entries = dirents.map(async (dirent) => {
    const name = rawSlice(dirent.name as unknown as Buffer);
    if (dirent.isFile()) return fileEntry(name, selection, watch);
    if (dirent.isDirectory()) return folderEntry(name, selection);
    return dirent.isSymbolicLink() ? linkEntry(name, prefix, selection, watch) : undefined;
  });
  return (await Promise.all(entries)).filter((entry) => entry !== undefined);
}

function fileEntry(name: RawPath, selection: Selection, watch: Watch): Entry | undefined {
  const verdict = selection.judge(name);
  if (verdict === 'count') watch.onSkipped(extensionOf(name));
  return verdict === 'list' ? { key: name } : undefined;
}

function folderEntry(name: RawPath, selection: Selection): Entry | undefined {
  return selection.enter(name) === undefined ? undefined : { key: concat(name, slash) };
}

/** What a link leads to. A link that leads nowhere is told, whatever its name: nobody knows whether it led to pictures. */
async function linkEntry(
  name: RawPath,
  prefix: RawPath,
  selection: Selection,
  watch: Watch,
): Promise<Entry | undefined> {
  if (selection.judge(name) === 'ignore' && selection.enter(name) === undefined) return undefined;
  const path = concat(prefix, name);
  const { kind, cause } = await targetOf(path);
  if (kind === undefined) return { key: name, fault: unreadable('link', toName(path), cause) };
  if (kind === 'file') return fileEntry(name, selection, watch);
  return kind === 'folder' ? folderEntry(name, selection) : undefined;
}
