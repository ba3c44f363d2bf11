import { SingleBar } from 'cli-progress';

/** A line of progress on standard error, if it is a terminal: a number that grows, and how fast. */
export class ProgressLine {
  readonly #start = performance.now();
  readonly #format: string;
  #bar: SingleBar | undefined;

  /** @param format - of cli-progress, with `{value}`, `{rate}` and the names of other values */
  constructor(format: string) {
    this.#format = format;
  }

  show(value: number, others: Readonly<Record<string, string>> = {}): void {
    if (!process.stderr.isTTY) return;
    const seconds = (performance.now() - this.#start) / 1000;
    const values = { rate: Math.round(value / seconds).toString(), ...others };
    if (this.#bar === undefined) {
      this.#bar = new SingleBar({
        format: this.#format,
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: true,
      });
      // Nobody knows the end.
      this.#bar.start(Number.MAX_SAFE_INTEGER, value, values);
    } else this.#bar.update(value, values);
  }

  /** Clears the line for other output; it reappears by itself. */
  clear(): void {
    if (this.#bar === undefined) return;
    process.stderr.cursorTo(0);
    process.stderr.clearLine(0);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
