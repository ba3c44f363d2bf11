import type { GhostNet, StageRow } from 'ghostnet';

import type { NamedArray } from '../../lib/checkpoint/index.js';

/** A network of five small bottlenecks of every kind, which is cheap to make and to run. */
export const smallStages: readonly (readonly StageRow[])[] = [
  [[3, 16, 16, 0, 1]],
  [[3, 48, 24, 0, 2]],
  [
    [5, 72, 40, 0.25, 2],
    [3, 120, 40, 0.25, 1],
  ],
  [[5, 64, 48, 0.5, 2]],
];

/** The content of a state dict, independent of dtypes, for comparisons bit by bit. */
export function bitsOf(
  state: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: ArrayBufferView }>,
): Record<string, { shape: readonly number[]; bits: string }> {
  return Object.fromEntries(
    [...state].map(([name, { shape, data }]) => [name, { shape, bits: hexOf(data) }] as const),
  );
}

/** The bytes of a typed array. */
export function hexOf(data: ArrayBufferView): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
}

/** The arrays of a network, as in a checkpoint. */
export async function arraysOf(model: GhostNet): Promise<[string, NamedArray][]> {
  return [...(await model.stateDict())].map(([name, { dtype, shape, data }]) => {
    return [
      name,
      { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() },
    ];
  });
}
