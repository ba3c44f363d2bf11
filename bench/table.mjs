/**
 * A Markdown table whose columns are as wide as their cells.
 *
 * @param {string[]} header
 * @param {string[][]} rows
 */
export function markdownTable(header, rows) {
  const widths = header.map((title, column) =>
    Math.max(3, ...[header, ...rows].map((row) => row[column].length)),
  );
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

/** A number with a fixed number of digits, or a dash if there is no number. */
export function digits(value, count) {
  return value === null ? '-' : value.toFixed(count);
}
