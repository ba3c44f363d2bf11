import { Cursor } from './cursor.js';
import { quote } from './faults.js';
import { newestProtocol, Opcode } from './pickle-opcodes.js';
import {
  describeValue,
  PickleDict,
  PickleGlobal,
  PickleInert,
  PickleList,
  PickleStorage,
  PickleTensor,
  PickleTuple,
  type PickleValue,
} from './pickle-values.js';

/** What one pickle describes. */
export interface Pickle {
  readonly value: PickleValue;
  /** The storages that it refers to, by key. */
  readonly storages: ReadonlyMap<string, PickleStorage>;
}

/**
 * Bounds on what a pickle may ask for. A training checkpoint of a network of a thousand tensors needs a tenth of
 * them; together they keep the memory of any pickle within a few hundred megabytes.
 */
const limits = {
  opcodes: 2_000_000,
  stack: 100_000,
  marks: 1_000,
  memo: 500_000,
  globals: 1_000,
  textBytes: 16 * 1024 * 1024,
  globalBytes: 1_024,
  integerBytes: 1_024,
} as const;

/**
 * Reads one pickle of protocol 2 to 5 and leaves the cursor behind it. This is an interpreter of data alone: it
 * builds dicts, lists, tuples, scalars and descriptions of tensors; a class or function that the pickle names is
 * never looked up, and an object made from one is inert.
 *
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE` when the pickle is broken or exceeds a bound
 */
export function readPickle(cursor: Cursor): Pickle {
  return new PickleReader(cursor).read();
}

class PickleReader {
  private stack: PickleValue[] = [];
  /** The heights of the stack at the open marks. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly globals = new Map<string, PickleGlobal>();
  private readonly storages = new Map<string, PickleStorage>();
  /** Where the opcode at work stands. */
  private start: number;

  constructor(private readonly cursor: Cursor) {
    this.start = cursor.position;
  }

  read(): Pickle {
    const { cursor } = this;
    const protocol = cursor.u8() === Opcode.Proto ? cursor.u8() : 0;
    if (protocol < 2 || protocol > newestProtocol)
      throw this.fail('no pickle of protocol 2 to 5 starts here');
    for (let count = 0; count < limits.opcodes; count += 1) {
      this.start = cursor.position;
      const opcode = cursor.u8();
      if (opcode === Opcode.Stop) return { value: this.finish(), storages: this.storages };
      this.execute(opcode);
    }
    throw this.fail(`the pickle has more than ${limits.opcodes} opcodes`);
  }

  private finish(): PickleValue {
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0)
      throw this.fail('the pickle stops with values left over');
    return value;
  }

  private execute(opcode: number): void {
    const { cursor } = this;
    switch (opcode) {
      case Opcode.Frame:
        // Frames only help a reader that streams; their contents are opcodes like any other.
        if (cursor.u64() > cursor.remaining)
          throw this.fail('a frame of the pickle is longer than the pickle');
        return;
      case Opcode.Mark:
        if (this.marks.length === limits.marks)
          throw this.fail(`the pickle nests deeper than ${limits.marks}`);
        this.marks.push(this.stack.length);
        return;
      case Opcode.Pop:
        this.pop();
        return;
      case Opcode.PopMark:
        this.popToMark();
        return;

      case Opcode.None:
        this.push(null);
        return;
      case Opcode.NewTrue:
        this.push(true);
        return;
      case Opcode.NewFalse:
        this.push(false);
        return;
      case Opcode.BinInt:
        this.push(cursor.i32());
        return;
      case Opcode.BinInt1:
        this.push(cursor.u8());
        return;
      case Opcode.BinInt2:
        this.push(cursor.u16());
        return;
      case Opcode.Long1:
        this.push(this.integer(cursor.u8()));
        return;
      case Opcode.Long4:
        this.push(this.integer(cursor.u32()));
        return;
      case Opcode.BinFloat:
        this.push(cursor.f64BigEndian());
        return;

      case Opcode.ShortBinUnicode:
        this.push(this.text(cursor.u8()));
        return;
      case Opcode.BinUnicode:
        this.push(this.text(cursor.u32()));
        return;
      case Opcode.BinUnicode8:
        this.push(this.text(cursor.u64()));
        return;
      case Opcode.ShortBinString:
        this.push(this.byteString(cursor.u8()));
        return;
      case Opcode.BinString:
        this.push(this.byteString(cursor.u32()));
        return;
      case Opcode.ShortBinBytes:
        this.push(cursor.take(cursor.u8()));
        return;
      case Opcode.BinBytes:
        this.push(cursor.take(cursor.u32()));
        return;
      case Opcode.BinBytes8:
      case Opcode.ByteArray8:
        this.push(cursor.take(cursor.u64()));
        return;

      case Opcode.EmptyTuple:
        this.push(new PickleTuple([]));
        return;
      case Opcode.Tuple1:
        this.push(new PickleTuple([this.pop()]));
        return;
      case Opcode.Tuple2:
        this.push(new PickleTuple(this.popMany(2)));
        return;
      case Opcode.Tuple3:
        this.push(new PickleTuple(this.popMany(3)));
        return;
      case Opcode.Tuple:
        this.push(new PickleTuple(this.popToMark()));
        return;
      case Opcode.EmptyList:
        this.push(new PickleList());
        return;
      case Opcode.Append:
        this.append([this.pop()]);
        return;
      case Opcode.Appends:
        this.append(this.popToMark());
        return;
      case Opcode.EmptyDict:
        this.push(new PickleDict());
        return;
      case Opcode.SetItem:
        this.setItems(this.popMany(2));
        return;
      case Opcode.SetItems:
        this.setItems(this.popToMark());
        return;
      case Opcode.EmptySet:
        this.push(new PickleInert('a set'));
        return;
      case Opcode.AddItems:
        this.popToMark();
        if (!(this.top() instanceof PickleInert))
          throw this.fail('the pickle adds items to something that is no set');
        return;
      case Opcode.FrozenSet:
        this.popToMark();
        this.push(new PickleInert('a frozenset'));
        return;

      case Opcode.BinGet:
        this.push(this.recall(cursor.u8()));
        return;
      case Opcode.LongBinGet:
        this.push(this.recall(cursor.u32()));
        return;
      case Opcode.BinPut:
        this.memorise(cursor.u8());
        return;
      case Opcode.LongBinPut:
        this.memorise(cursor.u32());
        return;
      case Opcode.Memoize:
        this.memorise(this.memo.size);
        return;

      case Opcode.Global:
        this.push(this.global(this.line(), this.line()));
        return;
      case Opcode.StackGlobal:
        this.push(this.stackGlobal());
        return;
      case Opcode.Reduce:
      case Opcode.NewObj:
        this.push(this.construct(this.popMany(2)));
        return;
      case Opcode.NewObjEx: {
        const [callable, args] = this.popMany(3);
        this.push(this.construct([callable, args]));
        return;
      }
      case Opcode.Build:
        this.build();
        return;
      case Opcode.BinPersId:
        this.push(this.persistent(this.pop()));
        return;
      default:
        throw this.fail(`the pickle has the opcode 0x${opcode.toString(16)}, which torch.save never writes`);
    }
  }

  private push(value: PickleValue): void {
    if (this.stack.length === limits.stack) {
      throw this.fail(`the pickle holds more than ${limits.stack} values at once`);
    }
    this.stack.push(value);
  }

  /** The height below which no value may be taken: the innermost open mark. */
  private get floor(): number {
    return this.marks.at(-1) ?? 0;
  }

  private pop(): PickleValue {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private popMany(count: number): PickleValue[] {
    if (this.stack.length - count < this.floor) throw this.fail('the pickle takes a value that it never put');
    return this.stack.splice(-count);
  }

  private popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.fail('the pickle closes a mark that it never opened');
    return this.stack.splice(mark);
  }

  private top(): PickleValue {
    if (this.stack.length <= this.floor) throw this.fail('the pickle uses a value that it never put');
    return this.stack.at(-1) ?? null;
  }

  /** A two's complement little-endian integer of any length. */
  private integer(length: number): number | bigint {
    if (length > limits.integerBytes) throw this.fail(`an integer of the pickle has ${length} bytes`);
    const digits = Buffer.from(this.cursor.take(length)).reverse().toString('hex');
    if (digits === '') return 0;
    const value = BigInt.asIntN(length * 8, BigInt(`0x${digits}`));
    const narrow = Number(value);
    return Number.isSafeInteger(narrow) ? narrow : value;
  }

  private text(length: number): string {
    if (length > limits.textBytes) throw this.fail(`a string of the pickle has ${length} bytes`);
    return this.cursor.text(length);
  }

  /** A str of Python 2, which has no encoding: keys of a state dict are ASCII, in which all agree. */
  private byteString(length: number): string {
    if (length > limits.textBytes) throw this.fail(`a string of the pickle has ${length} bytes`);
    return Buffer.from(this.cursor.take(length)).toString('latin1');
  }

  private line(): string {
    const { cursor } = this;
    const longest = Math.min(cursor.remaining, limits.globalBytes);
    const length = cursor.bytes.subarray(cursor.position, cursor.position + longest).indexOf(0x0a);
    if (length < 0) throw this.fail('the name of a global does not end');
    const line = cursor.text(length);
    cursor.position += 1;
    return line;
  }

  private append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (list instanceof PickleInert) return;
    if (!(list instanceof PickleList)) throw this.fail(`the pickle appends to ${describeValue(list)}`);
    for (const item of items) list.items.push(item);
  }

  private setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (dict instanceof PickleInert) return;
    if (!(dict instanceof PickleDict)) throw this.fail(`the pickle sets an item of ${describeValue(dict)}`);
    if (items.length % 2 !== 0) throw this.fail('the pickle sets a key without a value');
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index] ?? null;
      if (key instanceof PickleDict || key instanceof PickleList) {
        throw this.fail(`the pickle uses ${describeValue(key)} as a key`);
      }
      dict.entries.set(key, items[index + 1] ?? null);
    }
  }

  private recall(index: number): PickleValue {
    const value = this.memo.get(index);
    if (value === undefined) throw this.fail(`the pickle recalls value ${index}, which it never memorised`);
    return value;
  }

  private memorise(index: number): void {
    if (this.memo.size === limits.memo && !this.memo.has(index)) {
      throw this.fail(`the pickle memorises more than ${limits.memo} values`);
    }
    this.memo.set(index, this.top());
  }

  private stackGlobal(): PickleGlobal {
    const [module, name] = this.popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.fail('the pickle names a global by something that is no string');
    }
    if (module.length + name.length > 2 * limits.globalBytes)
      throw this.fail('the name of a global is too long');
    return this.global(module, name);
  }

  /** One value for each global, however often it is named: a few bytes can name it by long memorised texts. */
  private global(module: string, name: string): PickleGlobal {
    const path = `${module}.${name}`;
    const known = this.globals.get(path);
    if (known !== undefined) return known;
    if (this.globals.size === limits.globals)
      throw this.fail(`the pickle names more than ${limits.globals} globals`);
    const global = new PickleGlobal(path);
    this.globals.set(path, global);
    return global;
  }

  /** What calling a global would give: data for the few known ones, something inert for all others. */
  private construct([callable, args]: readonly (PickleValue | undefined)[]): PickleValue {
    if (!(args instanceof PickleTuple))
      throw this.fail('the pickle makes an object of arguments that are no tuple');
    if (callable instanceof PickleInert) return new PickleInert('an object');
    if (!(callable instanceof PickleGlobal)) {
      throw this.fail(`the pickle makes an object of ${describeValue(callable ?? null)}`);
    }
    switch (callable.known) {
      case 'ordered-dict':
        // Only Python 2 passes the pairs as an argument; copying them could multiply a small file.
        return args.items.length === 0 ? new PickleDict() : new PickleInert(callable);
      case 'rebuild-tensor':
        return new PickleTensor(args.items, this.start);
      case 'rebuild-parameter':
        return args.items[0] ?? new PickleInert(callable);
      case 'size':
        return args.items[0] instanceof PickleTuple ? args.items[0] : new PickleInert(callable);
      default:
        return new PickleInert(callable);
    }
  }

  /** Attributes of a dict (PyTorch puts version numbers there) and of inert objects matter to nobody here. */
  private build(): void {
    this.pop();
    const target = this.top();
    if (!(target instanceof PickleDict || target instanceof PickleInert)) {
      throw this.fail(`the pickle sets the state of ${describeValue(target)}`);
    }
  }

  private persistent(id: PickleValue): PickleValue {
    const items = id instanceof PickleTuple ? id.items : [];
    // The legacy container wraps the class of a pickled module so, together with its source code.
    if (items[0] === 'module') return items[1] ?? null;
    const [kind, type, key, location, count, view] = items;
    if (
      kind !== 'storage' ||
      !(type instanceof PickleGlobal) ||
      typeof key !== 'string' ||
      typeof location !== 'string' ||
      typeof count !== 'number' ||
      !Number.isSafeInteger(count) ||
      count < 0
    ) {
      throw this.fail('the pickle refers to something that is no storage');
    }
    const isView = view !== undefined && view !== null;
    const storage = new PickleStorage(type.path, key, count, isView);
    const earlier = this.storages.get(key);
    if (earlier === undefined) this.storages.set(key, storage);
    else if (earlier.typePath !== type.path || earlier.count !== count) {
      throw this.fail(`the pickle describes storage ${quote(key)} in two ways`);
    }
    return storage;
  }

  private fail(what: string) {
    return this.cursor.fail(what, {}, this.start);
  }
}
