import type { GhostNetError } from '../errors.js';
import type { Cursor } from './cursor.js';
import { PickleMemory } from './pickle-memory.js';
import { longestGlobal, PickleObjects } from './pickle-objects.js';
import { newestProtocol, Opcode } from './pickle-opcodes.js';
import { PickleStack } from './pickle-stack.js';
import type { Sliced } from './slices.js';
import {
  describeValue,
  PickleDict,
  PickleInert,
  PickleList,
  PickleTuple,
  type PickleStorage,
  type PickleValue,
} from './pickle-values.js';

/** The content of one pickle. */
export interface Pickle {
  readonly value: PickleValue;
  /** The storages that it refers to, by key. */
  readonly storages: ReadonlyMap<string, PickleStorage>;
}

/** The opcodes that are executed between two pauses. */
const opcodesPerSlice = 4096;

/** Limits of one pickle. A training checkpoint of a network with a thousand tensors uses a tenth of them. */
const limits = { opcodes: 2_000_000, textBytes: 16 * 1024 * 1024, integerBytes: 1_024 } as const;

/** The opcodes whose value has been pushed before. */
const recalls: ReadonlySet<number> = new Set([Opcode.BinGet, Opcode.LongBinGet]);

/**
 * Reads one pickle of protocol 2 to 5 and leaves the cursor after it. The interpreter builds only data: dicts, lists, tuples,
 * scalars and descriptions of tensors. A class or function that the pickle names is never looked up, and an object created from
 * one is inert.
 *
 * @param memory - for the values of all pickles in the file
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE` if the pickle is malformed or exceeds a limit
 */
export function readPickle(
  cursor: Cursor,
  memory = new PickleMemory(cursor.bytes.byteLength),
): Sliced<Pickle> {
  return new PickleReader(cursor, memory).read();
}

class PickleReader {
  /** The offset of the current opcode. */
  start: number;
  private readonly fault = (what: string): GhostNetError => this.fail(what);
  readonly stack: PickleStack;
  readonly objects = new PickleObjects(this.fault);

  constructor(
    readonly cursor: Cursor,
    private readonly memory: PickleMemory,
  ) {
    this.start = cursor.position;
    this.stack = new PickleStack(this.fault, memory);
  }

  *read(): Sliced<Pickle> {
    const { cursor, stack, objects } = this;
    const protocol = cursor.u8() === Opcode.Proto ? cursor.u8() : 0;
    if (protocol < 2 || protocol > newestProtocol)
      throw this.fail('no pickle of protocol 2 to 5 starts here');
    for (let count = 0; count < limits.opcodes; count += 1) {
      if (count % opcodesPerSlice === 0) yield;
      this.start = cursor.position;
      const opcode = cursor.u8();
      if (opcode === Opcode.Stop) return { value: stack.finish(), storages: objects.storages };
      const valueOf = pushed[opcode];
      if (valueOf === undefined) this.execute(opcode);
      else {
        const value = valueOf(this);
        if (!recalls.has(opcode)) this.memory.take(value, this.fault);
        stack.push(value);
      }
    }
    throw this.fail(`the pickle has more than ${limits.opcodes} opcodes`);
  }

  /** The opcodes that push nothing. */
  private execute(opcode: number): void {
    const { cursor, stack } = this;
    switch (opcode) {
      case Opcode.Frame:
        // Frames only help streaming readers; their contents are ordinary opcodes.
        if (cursor.u64() > cursor.remaining)
          throw this.fail('a frame of the pickle is longer than the pickle');
        return;
      case Opcode.Mark:
        stack.mark();
        return;
      case Opcode.Pop:
        stack.pop();
        return;
      case Opcode.PopMark:
        stack.popToMark();
        return;
      case Opcode.Append:
        this.append([stack.pop()]);
        return;
      case Opcode.Appends:
        this.append(stack.popToMark());
        return;
      case Opcode.SetItem:
        this.setItems(stack.popMany(2));
        return;
      case Opcode.SetItems:
        this.setItems(stack.popToMark());
        return;
      case Opcode.AddItems:
        stack.popToMark();
        if (!(stack.top() instanceof PickleInert))
          throw this.fail('the pickle adds items to a value that is not a set');
        return;
      case Opcode.BinPut:
        stack.memorise(cursor.u8());
        return;
      case Opcode.LongBinPut:
        stack.memorise(cursor.u32());
        return;
      case Opcode.Memoize:
        stack.memorise();
        return;
      case Opcode.Build:
        this.build();
        return;
      default:
        throw this.fail(`the pickle has the opcode 0x${opcode.toString(16)}, which torch.save never writes`);
    }
  }

  private append(items: readonly PickleValue[]): void {
    const list = this.stack.top();
    if (list instanceof PickleInert) return;
    if (!(list instanceof PickleList)) throw this.fail(`the pickle appends to ${describeValue(list)}`);
    this.memory.takeItems(items.length, list.items.length, this.fault);
    for (const item of items) list.items.push(item);
  }

  private setItems(items: readonly PickleValue[]): void {
    const dict = this.stack.top();
    if (dict instanceof PickleInert) return;
    if (!(dict instanceof PickleDict)) throw this.fail(`the pickle sets an item of ${describeValue(dict)}`);
    if (items.length % 2 !== 0) throw this.fail('the pickle sets a key without a value');
    this.memory.takeEntries(items.length / 2, dict.entries.size, this.fault);
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index] ?? null;
      if (key instanceof PickleDict || key instanceof PickleList) {
        throw this.fail(`the pickle uses ${describeValue(key)} as a key`);
      }
      dict.entries.set(key, items[index + 1] ?? null);
    }
  }

  /** The attributes of a dict (PyTorch stores version numbers there) and of inert objects are ignored. */
  private build(): void {
    this.stack.pop();
    const target = this.stack.top();
    if (!(target instanceof PickleDict || target instanceof PickleInert)) {
      throw this.fail(`the pickle sets the state of ${describeValue(target)}`);
    }
  }

  /** A two's complement little-endian integer of any length. */
  integer(length: number): number | bigint {
    if (length > limits.integerBytes) throw this.fail(`an integer of the pickle has ${length} bytes`);
    const digits = Buffer.from(this.cursor.take(length)).reverse().toString('hex');
    if (digits === '') return 0;
    const value = BigInt.asIntN(length * 8, BigInt(`0x${digits}`));
    const narrow = Number(value);
    return Number.isSafeInteger(narrow) ? narrow : value;
  }

  text(length: number): string {
    if (length > limits.textBytes) throw this.fail(`a string of the pickle has ${length} bytes`);
    return this.cursor.text(length);
  }

  /** A str of Python 2, which has no encoding: the keys of a state dict are ASCII, which all encodings share. */
  byteString(length: number): string {
    if (length > limits.textBytes) throw this.fail(`a string of the pickle has ${length} bytes`);
    return Buffer.from(this.cursor.take(length)).toString('latin1');
  }

  line(): string {
    const { cursor } = this;
    const longest = Math.min(cursor.remaining, longestGlobal);
    const length = cursor.bytes.subarray(cursor.position, cursor.position + longest).indexOf(0x0a);
    if (length < 0) throw this.fail('the name of a global does not end');
    const line = cursor.text(length);
    cursor.position += 1;
    return line;
  }

  private fail(what: string): GhostNetError {
    return this.cursor.fail(what, {}, this.start);
  }
}

const construct = ({ objects, start }: PickleReader, parts: readonly PickleValue[]): PickleValue =>
  objects.construct(parts, start);

/** The opcodes that push a value. */
const pushed: Readonly<Record<number, (reader: PickleReader) => PickleValue>> = {
  [Opcode.None]: () => null,
  [Opcode.NewTrue]: () => true,
  [Opcode.NewFalse]: () => false,
  [Opcode.BinInt]: ({ cursor }) => cursor.i32(),
  [Opcode.BinInt1]: ({ cursor }) => cursor.u8(),
  [Opcode.BinInt2]: ({ cursor }) => cursor.u16(),
  [Opcode.Long1]: (reader) => reader.integer(reader.cursor.u8()),
  [Opcode.Long4]: (reader) => reader.integer(reader.cursor.u32()),
  [Opcode.BinFloat]: ({ cursor }) => cursor.f64BigEndian(),

  [Opcode.ShortBinUnicode]: (reader) => reader.text(reader.cursor.u8()),
  [Opcode.BinUnicode]: (reader) => reader.text(reader.cursor.u32()),
  [Opcode.BinUnicode8]: (reader) => reader.text(reader.cursor.u64()),
  [Opcode.ShortBinString]: (reader) => reader.byteString(reader.cursor.u8()),
  [Opcode.BinString]: (reader) => reader.byteString(reader.cursor.u32()),
  [Opcode.ShortBinBytes]: ({ cursor }) => cursor.take(cursor.u8()),
  [Opcode.BinBytes]: ({ cursor }) => cursor.take(cursor.u32()),
  [Opcode.BinBytes8]: ({ cursor }) => cursor.take(cursor.u64()),
  [Opcode.ByteArray8]: ({ cursor }) => cursor.take(cursor.u64()),

  [Opcode.EmptyTuple]: () => new PickleTuple([]),
  [Opcode.Tuple1]: ({ stack }) => new PickleTuple([stack.pop()]),
  [Opcode.Tuple2]: ({ stack }) => new PickleTuple(stack.popMany(2)),
  [Opcode.Tuple3]: ({ stack }) => new PickleTuple(stack.popMany(3)),
  [Opcode.Tuple]: ({ stack }) => new PickleTuple(stack.popToMark()),
  [Opcode.EmptyList]: () => new PickleList(),
  [Opcode.EmptyDict]: () => new PickleDict(),
  [Opcode.EmptySet]: () => new PickleInert('a set'),
  [Opcode.FrozenSet]: ({ stack }) => {
    stack.popToMark();
    return new PickleInert('a frozenset');
  },

  [Opcode.BinGet]: ({ cursor, stack }) => stack.recall(cursor.u8()),
  [Opcode.LongBinGet]: ({ cursor, stack }) => stack.recall(cursor.u32()),

  [Opcode.Global]: (reader) => reader.objects.global([reader.line(), reader.line()]),
  [Opcode.StackGlobal]: ({ objects, stack }) => objects.global(stack.popMany(2)),
  [Opcode.Reduce]: (reader) => construct(reader, reader.stack.popMany(2)),
  [Opcode.NewObj]: (reader) => construct(reader, reader.stack.popMany(2)),
  // The third part, keyword arguments, has no meaning for the known globals.
  [Opcode.NewObjEx]: (reader) => construct(reader, reader.stack.popMany(3)),
  [Opcode.BinPersId]: ({ objects, stack }) => objects.persistent(stack.pop()),
};
