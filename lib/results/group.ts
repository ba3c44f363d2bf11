import { setImmediate as nextTurn } from 'node:timers/promises';

import type { ResultRow } from './row.js';

interface Waiting {
  readonly row: ResultRow;
  readonly resolve: (isNew: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** The most rows of one write. */
const mostRows = 512;

/**
 * Writes rows in groups: those that come while a write is going on are the next one, so that the costs of a write (a lock, a
 * flush to the disk, a round trip) are shared.
 */
export class GroupedWrites {
  readonly #write: (rows: readonly ResultRow[]) => Promise<readonly boolean[]>;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  /** @param write - writes rows, and says of each whether it is new */
  constructor(write: (rows: readonly ResultRow[]) => Promise<readonly boolean[]>) {
    this.#write = write;
  }

  add(row: ResultRow): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject });
      this.#writing ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async end(): Promise<void> {
    await this.#writing;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // The results of a batch come in one turn of the event loop: they belong together.
      await nextTurn();
      const group = this.#waiting.splice(0, mostRows);
      try {
        const areNew = await this.#write(group.map(({ row }) => row));
        for (const [index, { resolve }] of group.entries()) resolve(areNew[index] ?? false);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = undefined;
  }
}
