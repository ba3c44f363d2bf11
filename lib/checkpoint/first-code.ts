// The names of the first code of GhostNet. Source: d-li14/ghostnet.pytorch, ghostnet.py.
import { unsupported } from './faults.js';
import type { NamedArray } from './types.js';

type Arrays = ReadonlyMap<string, NamedArray>;

/** Rows of each stage of GhostNet. The first code has a list of rows, without stages. */
const stageSizes = [1, 1, 1, 1, 1, 1, 5, 1, 4];
const rowsOfGhostNet = stageSizes.reduce((sum, size) => sum + size);

/** Whether the names are those of the first code, which numbers its layers: `features.0.0.weight`, `squeeze.0.weight`. */
export function isFirstCode(arrays: Arrays): boolean {
  return arrays.has('features.0.0.weight') && arrays.has('squeeze.0.weight');
}

/** Whether an array is the matrix of a layer that is a 1x1 convolution in this package. */
export function isMatrix(name: string, { shape }: NamedArray): boolean {
  return shape.length === 2 && /^(?:features\.\d+\.conv\.2\.fc\.[02]|classifier\.0)\.weight$/.test(name);
}

/** The parts of a row, and their names here. */
const parts: readonly (readonly [part: RegExp, name: string])[] = [
  [/^conv\.0\./, 'ghost1.'],
  [/^conv\.1\.0\./, 'conv_dw.'],
  [/^conv\.1\.1\./, 'bn_dw.'],
  [/^conv\.2\.fc\.0\./, 'se.conv_reduce.'],
  [/^conv\.2\.fc\.2\./, 'se.conv_expand.'],
  [/^conv\.3\./, 'ghost2.'],
  [/^shortcut\.0\.0\./, 'shortcut.0.'],
  [/^shortcut\.0\.1\./, 'shortcut.1.'],
  [/^shortcut\.1\./, 'shortcut.2.'],
  [/^shortcut\.2\./, 'shortcut.3.'],
];

/** Those of the other layers. */
const layers: readonly (readonly [layer: RegExp, name: string])[] = [
  [/^features\.0\.0\./, 'conv_stem.'],
  [/^features\.0\.1\./, 'bn1.'],
  [/^classifier\.0\./, 'conv_head.'],
  [/^classifier\.1\./, 'bn2.'],
  [/^classifier\.4\./, 'classifier.'],
];

/**
 * The name of each array in this package.
 *
 * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` for another code of that time, with larger filters in its shortcuts and no ReLU
 */
export function firstCodeNames(arrays: Arrays, source: string): ReadonlyMap<string, string> {
  const rows = rowCount(arrays);
  const places = placesOf(rows);
  const last = (places.at(-1)?.[0] ?? 0) + 1;
  const names = new Map<string, string>();
  for (const [name, { shape }] of arrays) {
    const [, number, rest] = /^features\.(\d+)\.(.*)$/.exec(name) ?? [];
    const place = number === undefined ? undefined : places[Number(number) - 1];
    if (rest?.startsWith('shortcut.0.0.') === true && shape[2] !== 3) throw otherCode(name, shape, source);
    if (place !== undefined && rest !== undefined) {
      names.set(name, `blocks.${place.join('.')}.${replaced(rest, parts)}`);
    } else {
      const squeezed = name
        .replace(/^squeeze\.0\./, `blocks.${last}.0.conv.`)
        .replace(/^squeeze\.1\./, `blocks.${last}.0.bn1.`);
      names.set(name, replaced(squeezed, layers));
    }
  }
  return names;
}

function replaced(name: string, table: readonly (readonly [RegExp, string])[]): string {
  const found = table.find(([start]) => start.test(name));
  return found === undefined ? name : name.replace(found[0], found[1]);
}

function rowCount(arrays: Arrays): number {
  let rows = 0;
  while (arrays.has(`features.${rows + 1}.conv.0.primary_conv.0.weight`)) rows += 1;
  return rows;
}

/** The stage and the row in it, for each row of the list: those of GhostNet, or each row a stage of its own. */
function placesOf(rows: number): (readonly [stage: number, row: number])[] {
  const sizes = rows === rowsOfGhostNet ? stageSizes : new Array<number>(rows).fill(1);
  return sizes.flatMap((size, stage) => Array.from({ length: size }, (_, row) => [stage, row] as const));
}

function otherCode(name: string, shape: readonly number[], source: string): Error {
  return unsupported(
    source,
    `the keys are those of the first GhostNet code, but ${name} is [${shape.slice(0, 4).join(',')}], where that code has 3x3 filters`,
    'Use weights of the current GhostNet code, with keys such as conv_stem.weight and blocks.0.0.',
  );
}
