import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * What the slices of long runs have done, in a file that git ignores. A run that is interrupted loses the slice that it was in, and
 * nothing else.
 */
export class Progress {
  #file;
  #all;

  constructor(file) {
    this.#file = file;
    try {
      this.#all = JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      this.#all = {};
    }
  }

  /** What was done of a run: `{ seed, done, slices, seconds, met }`. A run with another seed begins afresh. */
  of(name, seed) {
    const found = this.#all[name];
    return found?.seed === seed ? found : { seed, done: 0, slices: 0, seconds: 0 };
  }

  /** Keeps what was done, whole or not at all. */
  keep(name, state) {
    this.#all[name] = state;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.part`, JSON.stringify(this.#all, null, 2));
    renameSync(`${this.#file}.part`, this.#file);
  }
}
