import { concat, part, rawOf, rawSlice, type RawPath } from './raw-path.js';

/** A line, or the fact that it was longer than {@link longestLine}. */
export type Line = RawPath | typeof tooLong;

/** Stands for a line that is no path. */
export const tooLong = Symbol('too long');

/** The most bytes of a line; Linux takes no longer path. */
export const longestLine = 4_096;

const empty = rawOf('');
const byteOrderMark = rawOf('\uFEFF');

/**
 * Takes bytes apart into lines, and yields together those that end in one chunk, which may be none. A line ends with the
 * separator, or with the end of the bytes. `\r` before `\n` belongs to the end of the line. Memory holds one chunk, and the
 * line that it does not complete.
 */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  separator: '\n' | '\0' = '\n',
): AsyncGenerator<Line[], void> {
  const isText = separator === '\n';
  let isFirst = true;
  let begun = empty;
  const complete = (line: RawPath): Line => {
    const start = isText && isFirst && line.startsWith(byteOrderMark) ? byteOrderMark.length : 0;
    isFirst = false;
    if (line.length > longestLine) return tooLong;
    return part(line, start, isText && line.endsWith('\r') ? -1 : undefined);
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(separator); end !== -1; end = chunk.indexOf(separator, start)) {
      const rest = rawSlice(chunk, start, Math.min(end, start + longestLine + 1));
      lines.push(complete(begun === '' ? rest : concat(begun, rest)));
      begun = empty;
      start = end + 1;
    }
    // Of a line that is too long only this much is kept, which shows it.
    if (begun.length <= longestLine) begun = concat(begun, rawSlice(chunk, start, start + longestLine + 1));
    yield lines;
  }
  if (begun !== '') yield [complete(begun)];
}
