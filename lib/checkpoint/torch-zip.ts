import { quote } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { Cursor } from './cursor.js';
import { malformed, unsupported } from './faults.js';
import { readPickle } from './pickle.js';
import type { Sliced } from './slices.js';
import type { TorchFile } from './torch-file.js';
import { readZipDirectory } from './zip-directory.js';
import { readStoredEntries } from './zip-entries.js';

/**
 * Reads the container that torch.save has written since PyTorch 1.6: a zip archive of one pickle and one entry per storage.
 *
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE`, `GHOSTNET_UNSUPPORTED_FORMAT` for other archives of networks,
 *   `GHOSTNET_UNKNOWN_FORMAT` for any other archive
 */
export function* readTorchZip(bytes: Uint8Array, source: string): Sliced<TorchFile> {
  const directory = yield* readZipDirectory(bytes, source);
  const root = findRoot(
    directory.entries.map(({ name }) => name),
    source,
  );
  const entries = yield* readStoredEntries(bytes, directory, source);
  checkByteOrder(entries.get(`${root}/byteorder`), directory.offset, source);
  const pickle = entries.get(`${root}/data.pkl`);
  if (pickle === undefined) throw malformed(source, directory.offset, 'the archive has no data.pkl');
  const start = pickle.byteOffset - bytes.byteOffset;
  const cursor = new Cursor(bytes, source, start, start + pickle.byteLength);
  const { value } = yield* readPickle(cursor);
  if (cursor.remaining > 0) throw cursor.fail('bytes follow the pickle in data.pkl');
  return {
    format: 'torch-zip',
    object: value,
    storageBytes({ key, count, type }) {
      const data = entries.get(`${root}/data/${key}`);
      const expected = count * (type?.itemSize ?? NaN);
      if (data?.byteLength !== expected) {
        throw malformed(
          source,
          directory.offset,
          `storage ${quote(key)} does not have the size in the pickle`,
          {
            expected: `${expected} bytes`,
            found: data === undefined ? 'no such entry' : `${data.byteLength}`,
          },
        );
      }
      return data;
    },
  };
}

const dataEntry = /^([^/]+)\/data\.pkl$/;

/** The folder that contains all entries of a torch.save archive. */
function findRoot(names: readonly string[], source: string): string {
  const kind = foreignArchive(names);
  if (kind !== undefined) throw unsupported(source, `this is ${kind.what}`, kind.remedy);
  const roots = names.flatMap((name) => dataEntry.exec(name)?.[1] ?? []);
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
    throw new GhostNetError(
      'GHOSTNET_UNKNOWN_FORMAT',
      `${source}: this is a zip archive, but not of torch.save`,
      {
        expected: 'one entry named <name>/data.pkl',
        found: names.length === 0 ? 'no entries' : names.slice(0, 3).map(quote).join(', '),
      },
    );
  }
  return root;
}

const saveStateDict = 'Save its weights instead: torch.save(model.state_dict(), path), or as safetensors.';

/** Archives of networks in formats that only their own framework can read. */
function foreignArchive(names: readonly string[]): { what: string; remedy: string } | undefined {
  const some = (pattern: RegExp) => names.some((name) => pattern.test(name));
  // An archive of torch.export also contains a constants folder like that of TorchScript, so it is checked first.
  if (some(/^(?:[^/]+\/)?(?:archive_format|models\/[^/]+\.json|serialized_exported_program\.json)$/)) {
    return { what: 'an archive of torch.export (.pt2)', remedy: saveStateDict };
  }
  if (some(/^[^/]+\/(?:constants\.pkl|bytecode\.pkl|code\/.*)$/)) {
    return { what: 'a TorchScript archive (torch.jit.save)', remedy: saveStateDict };
  }
  if (some(/(?:^|\/)model\.weights\.h5$/)) {
    return {
      what: 'a Keras model',
      remedy: 'Load it in Keras and save its arrays as safetensors, with the names of PyTorch.',
    };
  }
  if (some(/\.npy$/)) {
    return { what: 'a NumPy archive (.npz)', remedy: 'Load it in NumPy and save its arrays as safetensors.' };
  }
  return undefined;
}

function checkByteOrder(entry: Uint8Array | undefined, directoryOffset: number, source: string): void {
  // PyTorch before 2.1 did not write the entry.
  if (entry === undefined) return;
  const order = Buffer.from(entry).toString('latin1');
  if (order === 'little') return;
  if (order === 'big') {
    throw unsupported(
      source,
      'the file is big-endian',
      'Load it in PyTorch on a little-endian machine and save it again.',
    );
  }
  throw malformed(source, directoryOffset, 'the byteorder entry is wrong', {
    expected: '"little"',
    found: quote(order),
  });
}
