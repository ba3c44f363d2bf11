import { open, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';

/** The calls that may wait for a disk or a network. */
export interface ReadingCalls {
  readonly open: (path: string, flags: number) => number | Promise<number>;
  /** Reads up to the end of the bytes. @returns how many were read; 0 at the end of the file */
  readonly read: (descriptor: number, bytes: Buffer, position: number) => number | Promise<number>;
}

const here: ReadingCalls = {
  open: (path, flags) => openSync(path, flags),
  read: (descriptor, bytes, position) =>
    readSync(descriptor, bytes, position, bytes.length - position, position),
};

const openElsewhere = promisify(open);
const readElsewhere = promisify(read);
const elsewhere: ReadingCalls = {
  open: (path, flags) => openElsewhere(path, flags),
  read: async (descriptor, bytes, position) =>
    (await readElsewhere(descriptor, bytes, position, bytes.length - position, position)).bytesRead,
};

/** After a call that took longer, another thread reads the files of the next second. */
const slowMs = 3;
const pauseMs = 1_000;

/**
 * Chooses where files are read. To ask another thread costs several times as much of the processor as to read a file that the system
 * has in memory; but to wait for a disk or a network, this thread has no time.
 */
export class ReadingPace {
  #elsewhereUntil = 0;

  readonly #judgedHere: ReadingCalls = {
    open: (path, flags) => this.#judged(() => here.open(path, flags)),
    read: (descriptor, bytes, position) => this.#judged(() => here.read(descriptor, bytes, position)),
  };

  /** The calls for the next file. */
  get calls(): ReadingCalls {
    return performance.now() < this.#elsewhereUntil ? elsewhere : this.#judgedHere;
  }

  #judged<T>(call: () => T): T {
    const begin = performance.now();
    try {
      return call();
    } finally {
      const end = performance.now();
      if (end - begin > slowMs) this.#elsewhereUntil = end + pauseMs;
    }
  }
}
