import { quote } from '../check/words.js';
import type { GhostNetError } from '../errors.js';
import {
  describeValue,
  PickleDict,
  PickleGlobal,
  PickleInert,
  PickleStorage,
  PickleTensor,
  PickleTuple,
  type PickleValue,
} from './pickle-values.js';

const mostGlobals = 1_000;

/** Bytes of the module and of the name of a global. */
export const longestGlobal = 1_024;

/** The globals and storages that a pickle names, and the objects that it creates. */
export class PickleObjects {
  /** The storages that the pickle refers to, by key. */
  readonly storages = new Map<string, PickleStorage>();
  private readonly globals = new Map<string, PickleGlobal>();

  /** @param fail - creates the error for a fault at the current opcode */
  constructor(private readonly fail: (what: string) => GhostNetError) {}

  /** One value per global, however often it is named: a few bytes can name it with long memorised strings. */
  global([module, name]: readonly (PickleValue | undefined)[]): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.fail('the name of a global is not a string');
    }
    if (module.length + name.length > 2 * longestGlobal) throw this.fail('the name of a global is too long');
    const path = `${module}.${name}`;
    const known = this.globals.get(path);
    if (known !== undefined) return known;
    if (this.globals.size === mostGlobals)
      throw this.fail(`the pickle names more than ${mostGlobals} globals`);
    const global = new PickleGlobal(path);
    this.globals.set(path, global);
    return global;
  }

  /**
   * The result of calling a global: data for the few known globals, an inert object for all others.
   *
   * @param offset - the place of the call in the file
   */
  construct([callable, args]: readonly (PickleValue | undefined)[], offset: number): PickleValue {
    if (!(args instanceof PickleTuple))
      throw this.fail('the pickle creates an object from arguments that are not a tuple');
    if (callable instanceof PickleInert) return new PickleInert('an object');
    if (!(callable instanceof PickleGlobal)) {
      throw this.fail(`the pickle creates an object of ${describeValue(callable ?? null)}`);
    }
    switch (callable.known) {
      case 'ordered-dict':
        // Only Python 2 passes the pairs as an argument; copying them would let a small file use much memory.
        return args.items.length === 0 ? new PickleDict() : new PickleInert(callable);
      case 'rebuild-tensor':
        return new PickleTensor(args.items, offset);
      case 'rebuild-parameter':
        return args.items[0] ?? new PickleInert(callable);
      case 'size':
        return args.items[0] instanceof PickleTuple ? args.items[0] : new PickleInert(callable);
      default:
        return new PickleInert(callable);
    }
  }

  /** The object that a persistent id stands for: a storage, with one exception. */
  persistent(id: PickleValue): PickleValue {
    const items = id instanceof PickleTuple ? id.items : [];
    // The legacy container wraps the class of a pickled module in this form, together with its source code.
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
      throw this.fail('a persistent id of the pickle is not a storage');
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
}
