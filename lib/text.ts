// What is in file names, options, labels and messages of others can act on a terminal, forge lines of a log, and have any length.

/** Control characters, line breaks of any kind, and what changes the direction of text. */
const harmful = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text that can go to a terminal or a log: what could act on it is shown instead, as in `\x1b`, `\n` or `\u202e`. */
export function harmless(text: string): string {
  return text.replace(harmful, (character) => short[character] ?? escaped(character));
}

/** As {@link harmless}, in the form of JSON. */
export function harmlessJson(json: string): string {
  return json.replace(harmful, unicode);
}

/** Text of at most so many characters: of a longer one, its beginning and its end. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor(most / 3);
  return `${text.slice(0, most - end - 1)}…${text.slice(-end)}`;
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : unicode(character);
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
