import { GhostNetError } from '../errors.js';
import type { Listed } from './source.js';

type Step = IteratorResult<Listed, undefined>;

/** A request for an entry that has not been answered. */
interface Waiting {
  readonly resolve: (step: Step) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The entries of {@link listImages}, and a count of what was passed over. To leave the loop over it ends it, and so does the
 * signal: at once, whatever the file system or a stream makes it wait for. What it has open is closed.
 */
export class Listing implements AsyncIterableIterator<Listed, undefined>, AsyncDisposable {
  /**
   * How many pictures in folders were passed over since this package does not read their format, by extension: `.heic` -> 2.
   * Complete at the end of the listing.
   */
  readonly skipped: ReadonlyMap<string, number>;
  readonly #entries: AsyncGenerator<Listed, undefined>;
  readonly #end: AbortController;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting = new Set<Waiting>();
  #begun = false;
  #closed: Promise<unknown> | undefined;
  /** The error of an abort that nobody has been told yet. */
  #failure: GhostNetError | undefined;

  /**
   * @param entries - what is listed
   * @param skipped - what is passed over meanwhile
   * @param end - ends the work behind the entries
   * @param signal - the signal of the caller
   */
  constructor(
    entries: AsyncGenerator<Listed, undefined>,
    skipped: ReadonlyMap<string, number>,
    end: AbortController,
    signal: AbortSignal | undefined,
  ) {
    this.#entries = entries;
    this.skipped = skipped;
    this.#end = end;
    this.#signal = signal;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_ABORTED`; `GHOSTNET_INVALID_ARGUMENT` for a source of the wrong type */
  next(): Promise<Step> {
    this.#begin();
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    if (this.#closed !== undefined) return Promise.resolve(ended);
    // A race against one long-lived promise would keep every entry in memory.
    return new Promise((resolve, reject) => {
      void this.#answer({ resolve, reject });
    });
  }

  /** Ends the listing. It waits until everything is closed, except for a request that is still waiting. */
  async return(): Promise<Step> {
    const isIdle = this.#waiting.size === 0;
    const closed = this.#close();
    for (const { resolve } of this.#waiting) resolve(ended);
    if (isIdle) await closed;
    return ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #answer(waiting: Waiting): Promise<void> {
    this.#waiting.add(waiting);
    try {
      const step = await this.#entries.next();
      if (step.done === true) void this.#close();
      waiting.resolve(step);
    } catch (error) {
      void this.#close();
      waiting.reject(error);
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#signal?.addEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    const failure = new GhostNetError('GHOSTNET_ABORTED', 'The listing of images was aborted', {
      cause: this.#signal?.reason,
    });
    const [first, ...others] = this.#waiting;
    if (first === undefined) this.#failure = failure;
    else first.reject(failure);
    for (const { resolve } of others) resolve(ended);
    void this.#close();
  };

  #close(): Promise<unknown> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#end.abort();
    // What the work behind the entries throws when it is ended concerns nobody.
    this.#closed ??= this.#entries.return(undefined).catch(() => undefined);
    return this.#closed;
  }
}

const ended: Step = { done: true, value: undefined };
