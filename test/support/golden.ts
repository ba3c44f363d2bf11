import { readFileSync } from 'node:fs';

import { Tensor } from 'ghostnet';

import { readSafetensors, writeSafetensors, type NamedArray } from '../../lib/checkpoint/index.js';

/** A file of golden data: the case, and arrays by name, of which those under `state.` form a state dict. */
export interface Golden {
  readonly arrays: ReadonlyMap<string, NamedArray>;
  readonly state: readonly (readonly [name: string, array: NamedArray])[];
  readonly metadata: Readonly<Record<string, string>>;
}

const prefix = 'state.';

export function readGolden(path: string | URL): Golden {
  const { arrays, metadata } = readSafetensors(readFileSync(path));
  const state = [...arrays]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, array]) => [name.slice(prefix.length), array] as const);
  return { arrays, state, metadata };
}

/** An array in the form of the public API. */
export function tensorOf(golden: Golden, name: string): Tensor {
  return toTensor(arrayOf(golden, name));
}

export function floatsOf(golden: Golden, name: string): Float32Array {
  const { dtype, data } = arrayOf(golden, name);
  if (dtype !== 'float32') throw new Error(`${name} is ${dtype}`);
  return new Float32Array(bytesOf(data));
}

/** The state dict as tensors, for ghostModule(). */
export function stateTensors(golden: Golden): Record<string, Tensor> {
  return Object.fromEntries(golden.state.map(([name, array]) => [name, toTensor(array)]));
}

/** The state dict as a file for GhostNet.load(). */
export function stateFile(golden: Golden): Uint8Array {
  return writeSafetensors(golden.state, {});
}

function arrayOf(golden: Golden, name: string): NamedArray {
  const array = golden.arrays.get(name);
  if (array === undefined) throw new Error(`The golden file has no ${name}`);
  return array;
}

const bytesOf = (data: Uint8Array): ArrayBuffer => new Uint8Array(data).buffer;

function toTensor({ dtype, shape, data }: NamedArray): Tensor {
  const constructors = { float32: Float32Array, int64: BigInt64Array, uint8: Uint8Array } as const;
  if (!Object.hasOwn(constructors, dtype)) throw new Error(`Golden data are not ${dtype}`);
  return Tensor.from(new constructors[dtype as keyof typeof constructors](bytesOf(data)), shape);
}
