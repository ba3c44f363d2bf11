import { quote } from '../check/words.js';
import { Cursor } from './cursor.js';
import { unsupported } from './faults.js';
import { PickleMemory } from './pickle-memory.js';
import { readPickle } from './pickle.js';
import type { Sliced } from './slices.js';
import {
  describeValue,
  PickleDict,
  PickleList,
  type PickleStorage,
  type PickleValue,
} from './pickle-values.js';
import type { TorchFile } from './torch-file.js';

const magicNumber = 0x1950a86a20f9469cfc6cn;
const protocolVersion = 1001;

/** As many as entries of a zip archive. */
const mostStorages = 50_000;

/**
 * Reads the container that torch.save wrote before PyTorch 1.6: five consecutive pickles, then for each storage the number of
 * elements and the elements.
 *
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE`; `GHOSTNET_UNSUPPORTED_FORMAT` for a pickle that torch.save did not
 *   write
 */
export function* readTorchLegacy(bytes: Uint8Array, source: string): Sliced<TorchFile> {
  const cursor = new Cursor(bytes, source);
  const memory = new PickleMemory(bytes.byteLength);
  const magic = (yield* readPickle(cursor, memory)).value;
  if (magic !== magicNumber) {
    throw unsupported(
      source,
      `this is a Python pickle of ${describeValue(magic)}, not a file of torch.save`,
      'Save the weights with torch.save(model.state_dict(), path), or as safetensors.',
    );
  }
  const version = (yield* readPickle(cursor, memory)).value;
  if (version !== protocolVersion) {
    throw cursor.fail('the version of the legacy container is unknown', {
      expected: String(protocolVersion),
      found: describeValue(version),
    });
  }
  const systemInfo = (yield* readPickle(cursor, memory)).value;
  if (systemInfo instanceof PickleDict && systemInfo.entries.get('little_endian') === false) {
    throw unsupported(
      source,
      'the file is big-endian',
      'Load it in PyTorch on a little-endian machine and save it again.',
    );
  }
  const { value: object, storages } = yield* readPickle(cursor, memory);
  const keys = readKeys(cursor, (yield* readPickle(cursor, memory)).value);
  const data = readStorages(cursor, keys, storages);
  if (cursor.remaining > 0) throw cursor.fail('bytes follow the last storage');
  return {
    format: 'torch-legacy',
    object,
    storageBytes({ key }) {
      const found = data.get(key);
      if (found === undefined) throw cursor.fail(`the file has no storage ${quote(key)}`);
      return found;
    },
  };
}

function readKeys(cursor: Cursor, value: PickleValue): readonly string[] {
  const items = value instanceof PickleList ? value.items : undefined;
  if (items !== undefined && items.length > mostStorages) {
    throw cursor.fail(`the file has more than ${mostStorages} storages`);
  }
  const keys = items?.filter((item) => typeof item === 'string');
  if (items === undefined || keys?.length !== items.length || new Set(keys).size !== keys.length) {
    throw cursor.fail('the list of storages is not a list of unique keys');
  }
  return keys;
}

function readStorages(
  cursor: Cursor,
  keys: readonly string[],
  storages: ReadonlyMap<string, PickleStorage>,
): ReadonlyMap<string, Uint8Array> {
  const data = new Map<string, Uint8Array>();
  for (const key of keys) {
    const start = cursor.position;
    const storage = storages.get(key);
    if (storage === undefined)
      throw cursor.fail(`the file has storage ${quote(key)}, to which no tensor refers`);
    const { type } = storage;
    if (type === undefined) {
      throw unsupported(
        cursor.source,
        `storage ${quote(key)} has the unknown class ${quote(storage.typePath)}`,
        'Load the file in PyTorch and save its state dict in float32.',
      );
    }
    const count = cursor.u64();
    if (count !== storage.count) {
      throw cursor.fail(
        `storage ${quote(key)} does not have the size in the pickle`,
        { expected: `${storage.count} elements`, found: `${count}` },
        start,
      );
    }
    data.set(key, cursor.take(count * type.itemSize));
  }
  return data;
}
