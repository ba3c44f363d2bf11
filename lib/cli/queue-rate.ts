import type { QueueStatus } from '../queue/index.js';

interface Sample {
  readonly at: number;
  readonly done: number;
}

/** The rate of a queue over the last seconds, from looks at it. */
export class QueueRate {
  readonly #windowMs: number;
  readonly #samples: Sample[] = [];

  constructor(windowMs = 10_000) {
    this.#windowMs = windowMs;
  }

  /** @param at - the time of the look, in milliseconds */
  look(
    { done, waiting, active, delayed }: QueueStatus,
    at: number,
  ): { perSecond: number; secondsLeft: number | null } {
    this.#samples.push({ at, done });
    while ((this.#samples[1]?.at ?? Infinity) <= at - this.#windowMs) this.#samples.shift();
    const first = this.#samples[0] ?? { at, done };
    const perSecond = at > first.at ? (1000 * Math.max(0, done - first.done)) / (at - first.at) : 0;
    const left = waiting + active + delayed;
    if (left === 0) return { perSecond, secondsLeft: 0 };
    return { perSecond, secondsLeft: perSecond > 0 ? left / perSecond : null };
  }
}
