const mostFaults = 20;

/** An account of every promise: each settles exactly once, in a way that is expected of it. */
export class Ledger {
  #next = 0;
  #open = new Map();
  /** Ends by kind of call. */
  counts = {};
  faults = [];

  /** The calls that have not settled, by kind. */
  get open() {
    return [...this.#open.values()];
  }

  fault(text) {
    if (this.faults.length < mostFaults) this.faults.push(text);
  }

  /**
   * Follows a promise to its end.
   *
   * @template T
   * @param {string} kind - of the call
   * @param {Promise<T>} promise
   * @param {readonly string[]} codes - of the errors that it may end with
   * @param {(result: T) => void} [check] - looks at the result, and throws if it is wrong
   * @returns {Promise<T | undefined>} the result, undefined if it failed
   */
  async follow(kind, promise, codes = [], check = undefined) {
    const id = this.#next++;
    this.#open.set(id, kind);
    const settle = (how) => {
      if (!this.#open.delete(id)) this.fault(`${kind}: promise ${id} settled twice`);
      const counts = (this.counts[kind] ??= {});
      counts[how] = (counts[how] ?? 0) + 1;
    };
    try {
      const result = await promise;
      settle('succeeded');
      check?.(result);
      return result;
    } catch (error) {
      if (this.#open.has(id)) settle(error.code ?? 'no code');
      if (!codes.includes(error.code)) this.fault(`${kind}: ${error.stack}`);
      return undefined;
    }
  }
}
