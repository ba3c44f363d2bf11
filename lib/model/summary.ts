import type { ModelInfo } from './model-info.js';
import type { NativeLayer } from '../native/addon.js';

const count = new Intl.NumberFormat('en-US');

/** The layer table of a network as text. */
export function layerTable(
  info: ModelInfo,
  layers: readonly NativeLayer[],
  size: { height: number; width: number },
): string {
  const heading = ['Layer', 'Type', 'Output', 'Parameters', 'Multiply-adds'];
  const rows = layers.map(({ name, type, detail, output, parameters, multiplyAdds }) => [
    name,
    detail === '' ? type : `${type}(${detail})`,
    `[${output.join(',')}]`,
    parameters === 0 ? '' : count.format(parameters),
    multiplyAdds === 0 ? '' : count.format(multiplyAdds),
  ]);
  const total = (values: readonly number[]): string =>
    count.format(values.reduce((sum, value) => sum + value, 0));
  const sums = [
    'Total',
    '',
    '',
    total(layers.map(({ parameters }) => parameters)),
    total(layers.map(({ multiplyAdds }) => multiplyAdds)),
  ];
  const widths = heading.map((_, column) =>
    Math.max(...[heading, ...rows, sums].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  const title = `${info.variant} (width ${info.width}, ${info.numClasses} classes), input [3,${size.height},${size.width}]`;
  return [title, '', line(heading), rule, ...rows.map(line), rule, line(sums)].join('\n');
}
