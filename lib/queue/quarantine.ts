/**
 * Lets work run side by side, and suspects alone: when a process ends, the image that is being computed alone is the cause, and
 * its neighbours are not blamed.
 */
export class Quarantine {
  #running = 0;
  #isAlone = false;
  readonly #suspects: (() => void)[] = [];
  readonly #others: (() => void)[] = [];

  /** Waits until the work may begin. @returns a function that ends it */
  async enter(isSuspect: boolean): Promise<() => void> {
    const isFree = isSuspect ? this.#running === 0 : !this.#isAlone && this.#suspects.length === 0;
    if (!isFree) {
      await new Promise<void>((resolve) => {
        (isSuspect ? this.#suspects : this.#others).push(resolve);
      });
    } else {
      this.#begin(isSuspect);
    }
    return () => {
      this.#running -= 1;
      if (isSuspect) this.#isAlone = false;
      this.#next();
    };
  }

  #begin(isSuspect: boolean): void {
    this.#running += 1;
    this.#isAlone = isSuspect;
  }

  #next(): void {
    const [suspect] = this.#suspects;
    if (suspect !== undefined) {
      if (this.#running > 0) return;
      this.#suspects.shift();
      this.#begin(true);
      suspect();
      return;
    }
    if (this.#isAlone) return;
    for (const other of this.#others.splice(0)) {
      this.#begin(false);
      other();
    }
  }
}
