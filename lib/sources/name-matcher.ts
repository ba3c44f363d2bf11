import { parsePattern, type CharacterClass, type Group, type Item } from './name-pattern.js';

/**
 * Decides whether names fit the glob of one name. A regular expression of the glob could take time that is exponential in the
 * length of a name, and names come from others. Here it is bounded by the size of the glob times the square of the length, since
 * nothing is tried twice from the same place. A dot at the beginning is matched only by a dot.
 */
export class NameMatcher {
  readonly #items: readonly Item[];

  constructor(glob: string) {
    this.#items = parsePattern(glob);
  }

  /** Whether there is a wildcard in the glob. */
  get isGlob(): boolean {
    return this.#items.some(({ kind }) => kind !== 'character');
  }

  matches(name: string): boolean {
    return new Matching(Array.from(name)).isWhole(this.#items);
  }
}

/** Some places in a name, one bit each; bit 0 is in front of its first character. */
type Places = bigint;

/** One name while it is matched. */
class Matching {
  readonly #name: readonly string[];
  /** All places, and those in front of a character that a wildcard may stand for. */
  readonly #all: Places;
  readonly #open: Places;
  /** The places in front of each character. */
  readonly #before = new Map<string, Places>();
  readonly #classes = new Map<CharacterClass, Places>();
  /** Where one alternative of a group ends that begins at a place. */
  readonly #known = new Map<Group, (Places | undefined)[]>();

  constructor(name: readonly string[]) {
    this.#name = name;
    this.#all = (1n << BigInt(name.length + 1)) - 1n;
    this.#open = name[0] === '.' ? this.#all ^ 1n : this.#all;
    for (const [at, character] of name.entries()) {
      this.#before.set(character, (this.#before.get(character) ?? 0n) | (1n << BigInt(at)));
    }
  }

  isWhole(items: readonly Item[]): boolean {
    return this.#after(items, 1n) >> BigInt(this.#name.length) === 1n;
  }

  /** Where items can end that begin at some places. */
  #after(items: readonly Item[], starts: Places): Places {
    let places = starts;
    for (const item of items) {
      if (places === 0n) break;
      places = this.#afterOne(item, places);
    }
    return places;
  }

  #afterOne(item: Item, starts: Places): Places {
    switch (item.kind) {
      case 'character':
        return (starts & (this.#before.get(item.character) ?? 0n)) << 1n;
      case 'one':
        return ((starts & this.#open) << 1n) & this.#all;
      case 'any':
        return this.#from(starts & this.#open);
      case 'class':
        return ((starts & this.#open & this.#beforeClass(item)) << 1n) | this.#after(item.itself, starts);
      case 'group':
        return this.#afterGroup(item, starts);
    }
  }

  #afterGroup(group: Group, starts: Places): Places {
    const once = (places: Places): Places => {
      let ends = 0n;
      for (const place of this.#each(places)) ends |= this.#afterAlternative(group, place);
      return ends;
    };
    switch (group.repeat) {
      case '@':
        return once(starts);
      case '?':
        return starts | once(starts);
      case '*':
        return this.#repeated(group, starts);
      case '+':
        return this.#repeated(group, once(starts));
      case '!': {
        let ends = 0n;
        for (const place of this.#each(starts & this.#open)) {
          ends |= this.#from(1n << BigInt(place)) & ~this.#afterAlternative(group, place);
        }
        return ends;
      }
    }
  }

  /** Where a group ends that comes any number of times. */
  #repeated(group: Group, starts: Places): Places {
    let places = starts;
    // No alternative ends before its beginning, so each place is met once.
    for (let place = 0; place <= this.#name.length; place += 1) {
      if (((places >> BigInt(place)) & 1n) === 1n) places |= this.#afterAlternative(group, place);
    }
    return places;
  }

  #afterAlternative(group: Group, place: number): Places {
    const known = this.#known.get(group) ?? [];
    this.#known.set(group, known);
    const before = known[place];
    if (before !== undefined) return before;
    let ends = 0n;
    for (const items of group.alternatives) ends |= this.#after(items, 1n << BigInt(place));
    known[place] = ends;
    return ends;
  }

  #beforeClass(item: CharacterClass): Places {
    const known = this.#classes.get(item);
    if (known !== undefined) return known;
    const { isNegated, ranges } = item;
    let places = 0n;
    for (const [character, before] of this.#before) {
      const code = character.codePointAt(0) ?? 0;
      const isIn = ranges.some(([first, last]) => {
        return (first.codePointAt(0) ?? 0) <= code && code <= (last.codePointAt(0) ?? 0);
      });
      if (isIn !== isNegated) places |= before;
    }
    this.#classes.set(item, places);
    return places;
  }

  /** All places from the first of some. */
  #from(places: Places): Places {
    return places === 0n ? 0n : this.#all & -(places & -places);
  }

  *#each(places: Places): Generator<number> {
    for (let place = 0; place <= this.#name.length; place += 1) {
      if (((places >> BigInt(place)) & 1n) === 1n) yield place;
    }
  }
}
