/**
 * A queue that is fair between callers: each takes its turn with its oldest item, so that a caller with many items does not hold up
 * a caller with one.
 */
export class FairQueue<T> {
  // Both keep the order of insertion, and remove in constant time.
  readonly #callers = new Map<object, Set<T>>();
  #size = 0;

  /** Items of all callers. */
  get size(): number {
    return this.#size;
  }

  add(caller: object, item: T): void {
    const items = this.#callers.get(caller);
    if (items === undefined) this.#callers.set(caller, new Set([item]));
    else items.add(item);
    this.#size += 1;
  }

  /** Removes and returns the next item. */
  next(): T | undefined {
    const [turn] = this.#callers;
    if (turn === undefined) return undefined;
    const [caller, items] = turn;
    const [item] = items as ReadonlySet<T>;
    this.remove(caller, item as T);
    if (items.size > 0) {
      this.#callers.delete(caller);
      this.#callers.set(caller, items);
    }
    return item;
  }

  /** Removes an item, if it is there. */
  remove(caller: object, item: T): void {
    const items = this.#callers.get(caller);
    if (items?.delete(item) !== true) return;
    this.#size -= 1;
    if (items.size === 0) this.#callers.delete(caller);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const items of this.#callers.values()) yield* items;
  }
}
