import { types } from 'node:util';

import type { GhostNetError } from '../errors.js';
import {
  PickleDict,
  PickleInert,
  PickleList,
  PickleStorage,
  PickleTensor,
  PickleTuple,
  type PickleValue,
} from './pickle-values.js';

// What V8 takes in 64 bits, in bytes, with what maps and arrays set aside to grow.
const bytesOf = {
  reference: 8,
  number: 16,
  text: 32,
  view: 128,
  object: 32,
  array: 48,
  growth: 128,
  map: 200,
  entry: 64,
  storage: 160,
  memo: 40,
} as const;

/**
 * The least that the values of a pickle may take. A training checkpoint of a network with a thousand tensors and its optimizer
 * takes a tenth of it.
 */
const always = 24 * 2 ** 20;

/**
 * The memory for the values of the pickles in one file. A byte can describe an object that takes two hundred, so without a limit a
 * small file could take any amount.
 */
export class PickleMemory {
  readonly #most: number;
  #taken = 0;

  /** @param fileBytes - the size of the whole file */
  constructor(fileBytes: number) {
    this.#most = always + fileBytes;
  }

  /** Takes the memory for a new value; what it refers to has been taken. @throws what `fail` makes */
  take(value: PickleValue, fail: Fail): void {
    if (value !== null && typeof value !== 'boolean') this.#add(costOf(value), fail);
  }

  /** Takes the memory for entries of a dict. @param before - the entries that it had */
  takeEntries(count: number, before: number, fail: Fail): void {
    this.#add(count * bytesOf.entry + (before === 0 ? bytesOf.map : 0), fail);
  }

  /** Takes the memory for items of a list. @param before - the items that it had */
  takeItems(count: number, before: number, fail: Fail): void {
    this.#add(2 * count * bytesOf.reference + (before === 0 ? bytesOf.growth : 0), fail);
  }

  /** Takes the memory for an entry of the memo. */
  takeMemo(fail: Fail): void {
    this.#add(bytesOf.memo, fail);
  }

  #add(bytes: number, fail: Fail): void {
    this.#taken += bytes;
    if (this.#taken <= this.#most) return;
    throw fail(`the pickle describes values that take more than ${this.#most} bytes of memory`);
  }
}

/** Creates the error for a fault at the current opcode. */
type Fail = (what: string) => GhostNetError;

function costOf(value: Exclude<PickleValue, null | boolean>): number {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 0 : bytesOf.number;
  if (typeof value === 'string') return bytesOf.text + 2 * value.length;
  if (typeof value === 'bigint') return bytesOf.text + value.toString(16).length / 2;
  if (types.isUint8Array(value)) return bytesOf.view;
  if (value instanceof PickleTuple) {
    return bytesOf.object + bytesOf.array + bytesOf.reference * value.items.length;
  }
  if (value instanceof PickleList) return bytesOf.object + bytesOf.array;
  if (value instanceof PickleStorage) return bytesOf.storage;
  const isSmall =
    value instanceof PickleDict || value instanceof PickleTensor || value instanceof PickleInert;
  // A global is made once, and there are few.
  return isSmall ? bytesOf.object : 0;
}
