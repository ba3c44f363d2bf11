/** Random numbers, repeatable by a seed: mulberry32. */
export class Random {
  constructor(private state: number) {}

  /** The numbers of one case, whatever was drawn for others. */
  static ofCase(seed: number, index: number): Random {
    const high = Math.floor(index / 2 ** 32);
    return new Random(Math.imul(seed ^ high, 0x9e3779b1) ^ Math.imul(index | 0, 0x85ebca6b));
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('Nothing to pick from');
    return item;
  }
}
