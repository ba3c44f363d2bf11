/** Results on their way: given back in the order in which they were added, or in the order in which they land. */
export class Flight<T> {
  readonly #ordered: boolean;
  /** Whether each has landed. Keeps the order of addition. */
  readonly #flying = new Map<object, T | undefined>();
  readonly #landed = new Set<object>();
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  /** Results that have not been taken. */
  get size(): number {
    return this.#flying.size;
  }

  add(result: Promise<T>): void {
    const ticket = {};
    this.#flying.set(ticket, undefined);
    result.then(
      (value) => {
        this.#flying.set(ticket, value);
        this.#landed.add(ticket);
        this.wake();
      },
      (error: unknown) => {
        this.fail(error);
      },
    );
  }

  /** Makes take() throw. The first failure counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.wake();
  }

  /** Removes and returns the next result, if it has landed. */
  take(): T | undefined {
    if (this.#failure !== undefined) throw this.#failure.error as Error;
    const [ticket] = this.#ordered ? this.#flying.keys() : this.#landed;
    if (ticket === undefined || !this.#landed.delete(ticket)) return undefined;
    const result = this.#flying.get(ticket);
    this.#flying.delete(ticket);
    return result;
  }

  /** Resolves when something has happened since take() returned nothing. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
