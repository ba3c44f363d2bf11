import { hash } from 'node:crypto';

/**
 * A set of keys that holds 64 bits of the hash of each, in at most 24 bytes a key: ten million keys take less than 240 MB, and the
 * chance that any two of them are taken for one is 1 in 300,000.
 */
export class KeySet {
  /** Pairs of 32 bits; a pair of zeros is free. */
  #slots = new Uint32Array(2 * 1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    const [high, low] = halvesOf(key);
    return this.#slots[this.#find(high, low)] !== 0 || this.#slots[this.#find(high, low) + 1] !== 0;
  }

  /** @returns whether the key is new */
  add(key: string): boolean {
    const [high, low] = halvesOf(key);
    const at = this.#find(high, low);
    if (this.#slots[at] !== 0 || this.#slots[at + 1] !== 0) return false;
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.#size += 1;
    // At most two thirds full.
    if (3 * this.#size > this.#slots.length) this.#grow();
    return true;
  }

  clear(): void {
    this.#slots = new Uint32Array(2 * 1024);
    this.#size = 0;
  }

  /** The slot of a key, or the free one where it belongs. */
  #find(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    let at = (low * 2) & mask;
    for (;;) {
      const first = this.#slots[at] ?? 0;
      const second = this.#slots[at + 1] ?? 0;
      if ((first === 0 && second === 0) || (first === high && second === low)) return at;
      at = (at + 2) & mask;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += 2) {
      const high = old[at] ?? 0;
      const low = old[at + 1] ?? 0;
      if (high === 0 && low === 0) continue;
      const place = this.#find(high, low);
      this.#slots[place] = high;
      this.#slots[place + 1] = low;
    }
  }
}

function halvesOf(key: string): [high: number, low: number] {
  const digest = hash('sha256', key, 'buffer');
  // Never the pair that stands for a free slot.
  return [digest.readUInt32LE(0), digest.readUInt32LE(4) || 1];
}
