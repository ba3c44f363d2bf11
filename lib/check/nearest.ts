/** The word with the smallest edit distance, if it is small enough for a typing error. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const most = Math.max(2, Math.floor(word.length / 3));
  let best: { word: string; edits: number } | undefined;
  for (const candidate of words) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= most && edits < (best?.edits ?? Infinity)) best = { word: candidate, edits };
  }
  return best?.word;
}

/** The Levenshtein distance, computed row by row. */
function distance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 0; row < from.length; row++) {
    let corner = row;
    let left = row + 1;
    const current = [left];
    for (const [column, up] of above.slice(1).entries()) {
      left = Math.min(corner + (from[row] === to[column] ? 0 : 1), up + 1, left + 1);
      corner = up;
      current.push(left);
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}
