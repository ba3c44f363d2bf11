import { aborted } from '../native/jobs.js';

/** Lets a bounded number of tasks run at a time, in the order in which they came. */
export class Turns {
  readonly #most: number;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** @param most - tasks at a time, at least 1 */
  constructor(most: number) {
    this.#most = most;
  }

  get running(): number {
    return this.#running;
  }

  /**
   * Waits for a turn.
   *
   * @returns a function that ends it, to be called once
   * @throws {@link GhostNetError} `GHOSTNET_ABORTED` if the signal fires before
   */
  async next(signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted === true) throw aborted(signal.reason);
    if (this.#running < this.#most) this.#running += 1;
    else await this.#turn(signal);
    return () => {
      // The turn passes on to the next task, if one waits.
      const [next] = this.#waiting;
      if (next === undefined) this.#running -= 1;
      else next();
    };
  }

  #turn(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        leave();
        resolve();
      };
      const abort = (): void => {
        leave();
        reject(aborted(signal?.reason));
      };
      const leave = (): void => {
        this.#waiting.delete(start);
        signal?.removeEventListener('abort', abort);
      };
      this.#waiting.add(start);
      signal?.addEventListener('abort', abort);
    });
  }
}
