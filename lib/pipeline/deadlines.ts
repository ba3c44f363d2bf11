/** Times out items that were all given the same time, with one timer. */
export class Deadlines<T extends { readonly enqueuedAt: number }> {
  // In the order of their deadlines.
  readonly #items = new Set<T>();
  readonly #milliseconds: number;
  readonly #expire: (item: T) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param expire - must remove the item */
  constructor(milliseconds: number, expire: (item: T) => void) {
    this.#milliseconds = milliseconds;
    this.#expire = expire;
  }

  add(item: T): void {
    this.#items.add(item);
    this.#schedule();
  }

  remove(item: T): void {
    this.#items.delete(item);
    if (this.#items.size > 0 || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    const [first] = this.#items;
    if (this.#timer !== undefined || first === undefined) return;
    const left = first.enqueuedAt + this.#milliseconds - performance.now();
    this.#timer = setTimeout(this.#onTimer, Math.max(1, Math.ceil(left)));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const item of this.#items) {
      if (item.enqueuedAt + this.#milliseconds > now) break;
      this.#items.delete(item);
      this.#expire(item);
    }
    this.#schedule();
  };
}
