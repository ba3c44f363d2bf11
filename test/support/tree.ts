import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a tree has at a path: a file, a link to something, or a FIFO. A path that ends with a slash is an empty folder. */
export type Leaf = 'file' | 'FIFO' | { readonly linkTo: string };

/** A tree of files in a temporary folder. */
export class Tree implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'ghostnet-tree-'));

  /** @param leaves - what is where; a list of paths is one of files and empty folders */
  constructor(leaves: readonly string[] | Readonly<Record<string, Leaf>>) {
    const entries = Array.isArray(leaves)
      ? leaves.map((path: string) => [path, 'file'] as const)
      : Object.entries(leaves as Readonly<Record<string, Leaf>>);
    for (const [path, leaf] of entries) this.add(path, leaf);
  }

  /** A path in the tree, absolute. */
  at(path: string): string {
    return `${this.root}/${path}`;
  }

  add(path: string, leaf: Leaf = 'file'): void {
    const full = this.at(path);
    const folder = path.endsWith('/') ? full : dirname(full);
    if (folder !== this.root) mkdirSync(folder, { recursive: true });
    if (path.endsWith('/')) return;
    if (leaf === 'file') writeFileSync(full, '');
    else if (leaf === 'FIFO') execFileSync('mkfifo', [full]);
    else symlinkSync(leaf.linkTo, full);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
