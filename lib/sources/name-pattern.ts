/** A part of a pattern. */
export type Item =
  | { readonly kind: 'character'; readonly character: string }
  /** `?` */
  | { readonly kind: 'one' }
  /** `*` */
  | { readonly kind: 'any' }
  | CharacterClass
  | Group;

/** `[a-z]`, `[!a-z]` */
export interface CharacterClass {
  readonly kind: 'class';
  /** Its characters as they are written, for which it stands as well. */
  readonly itself: readonly Item[];
  readonly isNegated: boolean;
  readonly ranges: readonly (readonly [first: string, last: string])[];
}

/** Alternatives, and how often one of them has to come; `!` stands for anything else. */
export interface Group {
  readonly kind: 'group';
  readonly repeat: '@' | '?' | '+' | '*' | '!';
  readonly alternatives: readonly (readonly Item[])[];
}

/** A bracket that has been opened. */
interface Frame {
  /** What opened it, such as `{` or `@(`. A parenthesis alone means nothing, but it has to close. */
  readonly opener: string;
  readonly separator: ',' | '|' | undefined;
  readonly alternatives: Item[][];
}

/**
 * Takes the glob of one name apart: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `{1..3}`, `@(a|b)`, `?(a|b)`, `+(a|b)`, `*(a|b)`, `!(a|b)`. `\` takes
 * the meaning from the next character. What does not close stands for itself, and so do parentheses with nothing before them:
 * `photo (1)*.jpg` is a name with a wildcard. A class of characters stands for itself as well: `photo[1]*.jpg` is another one.
 */
export function parsePattern(glob: string): readonly Item[] {
  return new Parser(glob).parse();
}

class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  /** The whole pattern, and all that is open. */
  readonly #frames: Frame[] = [{ opener: '', separator: undefined, alternatives: [[]] }];
  /** Of `[` that does not close, all that follow do not either. */
  #hasClasses = true;

  constructor(glob: string) {
    this.#characters = Array.from(glob);
  }

  parse(): readonly Item[] {
    while (this.#at < this.#characters.length) this.#next();
    while (this.#frames.length > 1) this.#takeBack('');
    return this.#items;
  }

  /** What is being written. */
  get #items(): Item[] {
    return this.#frames.at(-1)?.alternatives.at(-1) ?? [];
  }

  #next(): void {
    const character = this.#characters[this.#at] ?? '';
    const following = this.#characters[this.#at + 1];
    this.#at += 1;
    if (character === '\\' && following !== undefined) {
      this.#at += 1;
      this.#items.push(literal(following));
    } else if (following === '(' && '@?+*!'.includes(character)) {
      this.#at += 1;
      this.#open(`${character}(`, '|');
    } else if (character === '(') this.#open('(', undefined);
    else if (character === '{') this.#open('{', ',');
    else if (character === ')' || character === '}') this.#close(character);
    else if (character === this.#frames.at(-1)?.separator) this.#frames.at(-1)?.alternatives.push([]);
    else if (character === '*') this.#items.push({ kind: 'any' });
    else if (character === '?') this.#items.push({ kind: 'one' });
    else if (character === '[') this.#class();
    else this.#items.push(literal(character));
  }

  #open(opener: string, separator: ',' | '|' | undefined): void {
    this.#frames.push({ opener, separator, alternatives: [[]] });
  }

  #close(closer: ')' | '}'): void {
    const frame = this.#frames.at(-1);
    const isOpen = frame?.opener.endsWith(closer === ')' ? '(' : '{') === true;
    if (frame === undefined || !isOpen) {
      this.#items.push(literal(closer));
      return;
    }
    const isSingle = closer === '}' && frame.alternatives.length === 1;
    const range = isSingle ? rangeIn(frame.alternatives[0] ?? []) : undefined;
    if (frame.opener === '(' || (isSingle && range === undefined)) {
      this.#takeBack(closer);
      return;
    }
    this.#frames.pop();
    const repeat = closer === '}' ? '@' : (frame.opener[0] as Group['repeat']);
    this.#items.push(range ?? { kind: 'group', repeat, alternatives: frame.alternatives });
  }

  /** The characters of a bracket that has no meaning are characters. */
  #takeBack(closer: string): void {
    const { opener = '', separator = '', alternatives = [] } = this.#frames.pop() ?? {};
    const items = this.#items;
    items.push(...Array.from(opener, (character) => plain(character)));
    for (const [index, alternative] of alternatives.entries()) {
      if (index > 0) items.push(literal(separator));
      for (const item of alternative) items.push(item);
    }
    if (closer !== '') items.push(literal(closer));
  }

  /** Reads what follows `[`. */
  #class(): void {
    const start = this.#at;
    const end = this.#hasClasses ? this.#endOfClass() : -1;
    this.#hasClasses &&= end !== -1;
    if (end === -1) {
      this.#items.push(literal('['));
      return;
    }
    this.#at = end + 1;
    const text = this.#characters.slice(start, end);
    const isNegated = isNegation(text[0]);
    this.#items.push({
      kind: 'class',
      itself: ['[', ...text.filter((character) => character !== '\\'), ']'].map(literal),
      isNegated,
      ranges: rangesOf(isNegated ? text.slice(1) : text),
    });
  }

  /** A `]` that comes first is one of the characters. */
  #endOfClass(): number {
    let at = this.#at + (isNegation(this.#characters[this.#at]) ? 2 : 1);
    if (this.#characters[at - 1] === '\\') at -= 1;
    for (; at < this.#characters.length; at += 1) {
      if (this.#characters[at] === '\\') at += 1;
      else if (this.#characters[at] === ']') return at;
    }
    return -1;
  }
}

function literal(character: string): Item {
  return { kind: 'character', character };
}

/** What is between braces, if it is a range as in `{1..3}`. */
function rangeIn(items: readonly Item[]): CharacterClass | undefined {
  const text = items.map((item) => (item.kind === 'character' ? item.character : '/')).join('');
  const [, first, last] = /^([^/])\.\.([^/])$/su.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const itself = Array.from(`{${text}}`, literal);
  return { kind: 'class', itself, isNegated: false, ranges: [[first, last]] };
}

/** What a character in front of a parenthesis that does not close means. */
function plain(character: string): Item {
  if (character === '*') return { kind: 'any' };
  return character === '?' ? { kind: 'one' } : literal(character);
}

function isNegation(character: string | undefined): boolean {
  return character === '!' || character === '^';
}

function rangesOf(text: readonly string[]): [first: string, last: string][] {
  const ranges: [string, string][] = [];
  let at = 0;
  const next = (): string => {
    if (text[at] === '\\' && at + 1 < text.length) at += 1;
    at += 1;
    return text[at - 1] ?? '';
  };
  while (at < text.length) {
    const first = next();
    const isRange = text[at] === '-' && at + 1 < text.length;
    if (isRange) at += 1;
    ranges.push([first, isRange ? next() : first]);
  }
  return ranges;
}
