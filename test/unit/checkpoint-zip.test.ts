import { describe, expect, it } from 'vitest';
import { readCheckpoint, type NamedArray } from '../../lib/checkpoint/index.js';
import { errorOf } from '../fixtures/checkpoint/errors.js';
import { dict, tuple } from '../fixtures/checkpoint/pickle-writer.js';
import {
  storageRef,
  tensorRef,
  torchZip,
  type StorageSpec,
  type TorchZipOptions,
} from '../fixtures/checkpoint/writers.js';
import { wideSizes, zip, type EntrySpec } from '../fixtures/checkpoint/zip-writer.js';

const array: NamedArray = { dtype: 'int16', shape: [2], data: Uint8Array.of(1, 2, 3, 4) };
const storage: StorageSpec = { key: '0', dtype: 'int16', bytes: array.data };
const object = dict([['a', tensorRef(storageRef(storage), 0, tuple(2), tuple(1))]]);
const write = (options: TorchZipOptions = {}) => torchZip(object, [storage], options);

/** Changes the entry of the storage. */
const storageEntry = (change: (entry: EntrySpec) => Partial<EntrySpec>): TorchZipOptions => ({
  edit: (entries) =>
    entries.map((entry) => (entry.name === 'archive/data/0' ? { ...entry, ...change(entry) } : entry)),
});
const both = (fields: NonNullable<EntrySpec['local']>): Partial<EntrySpec> => ({
  local: fields,
  central: fields,
});

/** A file that claims to end elsewhere. */
const endAt = (offset: number) => ({ end: { offset }, end64: { offset } });
const directoryOffset = write().indexOf('PK\x01\x02');

describe('the zip container of torch.save', () => {
  it.each<[layout: string, options: TorchZipOptions]>([
    ['with data descriptors and a 64-bit end', {}],
    ['without data descriptors', { streamed: false }],
    ['without a 64-bit end', { wideEnd: false }],
    ['with 64-bit data descriptors', storageEntry(() => ({ wide: true }))],
    ['with 64-bit sizes in the local header', { streamed: false, ...storageEntry(() => ({ wide: true })) }],
    [
      'with 64-bit sizes in the directory',
      storageEntry(() => ({
        central: { size: 0xffffffff, compressedSize: 0xffffffff, extra: wideSizes(4) },
      })),
    ],
    [
      'with saturated fields at the end',
      { end: { count: 0xffff, countOfDisk: 0xffff, size: 0xffffffff }, end64: {} },
    ],
    ['with other extra fields', storageEntry(() => ({ local: { extra: Buffer.from('FB\x02\x00ZZ') } }))],
    [
      'with sizes in the local header and again behind the data',
      storageEntry(() => ({
        local: { crc: 0xb63cfbcd, size: 4, compressedSize: 4 },
      })),
    ],
    ['with entries in another order', { edit: (entries) => [...entries].reverse() }],
    [
      'without the byteorder entry',
      { edit: (entries) => entries.filter(({ name }) => !name.endsWith('byteorder')) },
    ],
  ])('is read %s', (_, options) => {
    const bytes = write(options);
    const { arrays, format } = readCheckpoint(bytes);
    expect(format).toBe('torch-zip');
    expect(arrays.get('a')).toEqual(array);
    expect(arrays.get('a')?.data.buffer).toBe(bytes.buffer);
  });

  it.each<[rule: string, bytes: Buffer, says: RegExp]>([
    ['ends with an end record', write().subarray(0, -1), /does not end with an end record/],
    ['has no comment', write({ end: { comment: Buffer.from('x') } }), /does not end with an end record/],
    ['announces no comment', Buffer.concat([write().subarray(0, -2), Buffer.of(1, 0)]), /has a comment/],
    [
      'has nothing after its end',
      Buffer.concat([write(), Buffer.alloc(1)]),
      /does not end with an end record/,
    ],
    ['is one part', write({ end: { disk: 1 } }), /one of several parts/],
    ['counts its entries alike', write({ end: { countOfDisk: 3 } }), /one of several parts/],
    [
      'has the entries that it counts',
      write({ wideEnd: false, end: { count: 5, countOfDisk: 5 } }),
      /Expected 5. Found 4/,
    ],
    [
      'has no more entries than it counts',
      write({ wideEnd: false, end: { count: 3, countOfDisk: 3 } }),
      /Expected 3. Found more/,
    ],
    [
      'has few entries',
      write({ end: { count: 0xffff, countOfDisk: 0xffff }, end64: { count: 50_001, countOfDisk: 50_001 } }),
      /more than 50000 entries/,
    ],
    [
      'has its directory before its end',
      write({ gap: Buffer.alloc(3) }),
      /does not end where its end record starts/,
    ],
    [
      'has its directory where it says',
      write(endAt(directoryOffset - 1)),
      /does not end where its end record starts/,
    ],
    [
      'has its 64-bit end where it says',
      write({ end64: { locatorOffset: 1 } }),
      /not where its locator says/,
    ],
    ['is one part in 64 bits', write({ end64: { disk: 1 } }), /contradicts/],
    ['has one part in 64 bits', write({ end64: { disks: 2 } }), /not where its locator says/],
    ['has a 64-bit end', write({ end64: { signature: 0 } }), /contradicts/],
    ['has a 64-bit end of one size', write({ end64: { recordSize: 45 } }), /contradicts/],
    ['counts alike in both ends', write({ end64: { count: 5, countOfDisk: 5 } }), /contradicts/],
    ['counts alike in 64 bits', write({ end64: { countOfDisk: 5 } }), /contradicts/],
    ['has one directory size in both ends', write({ end64: { size: 7 } }), /contradicts/],
    ['has one directory offset in both ends', write({ end64: { offset: 7 } }), /contradicts/],
    ['has counts that a double can hold', write({ end64: { count: 2n ** 63n } }), /impossibly large/],
    [
      'has central records',
      write(storageEntry(() => ({ central: { signature: 1 } }))),
      /a record that is not an entry/,
    ],
    [
      'has entries in one part',
      write(storageEntry(() => ({ central: { disk: 1 } }))),
      /lies in another part/,
    ],
    [
      'has entries of different names',
      write({ edit: ([first, ...rest]) => (first ? [first, ...rest, first] : []) }),
      /two entries named "archive\/data\.pkl"/,
    ],
    ['has local headers', write(storageEntry(() => ({ local: { signature: 1 } }))), /no local header/],
    [
      'has entries inside of it',
      write(storageEntry(() => ({ central: { localOffset: 0x7fffffff } }))),
      /no local header/,
    ],
    [
      'names entries alike',
      write(storageEntry(() => ({ local: { name: 'archive/data/1' } }))),
      /differs from its local header/,
    ],
    [
      'flags entries alike',
      write(storageEntry(() => ({ local: { flags: 0x0008 } }))),
      /differs from its local header/,
    ],
    [
      'stores entries alike',
      write(storageEntry(() => ({ local: { method: 8 } }))),
      /differs from its local header/,
    ],
    [
      'sums entries alike',
      write({ streamed: false, ...storageEntry(() => ({ local: { crc: 1 } })) }),
      /differs from its local header/,
    ],
    [
      'sizes entries alike',
      write({ streamed: false, ...storageEntry(() => ({ local: { size: 3 } })) }),
      /differs from its local header/,
    ],
    [
      'packs entries alike',
      write({ streamed: false, ...storageEntry(() => ({ local: { compressedSize: 3 } })) }),
      /differs from its local header/,
    ],
    [
      'defers only with a descriptor',
      write({ streamed: false, ...storageEntry(() => ({ local: { crc: 0, size: 0, compressedSize: 0 } })) }),
      /differs from its local header/,
    ],
    [
      'defers all or nothing',
      write(storageEntry(() => ({ local: { size: 3 } }))),
      /differs from its local header/,
    ],
    [
      'has one size for each entry',
      write(storageEntry(() => ({ central: { compressedSize: 5 } }))),
      /has two sizes/,
    ],
    [
      'has descriptors',
      write(storageEntry(() => ({ descriptor: { signature: 1 } }))),
      /differs from its data descriptor/,
    ],
    [
      'sums descriptors alike',
      write(storageEntry(() => ({ descriptor: { crc: 1 } }))),
      /differs from its data descriptor/,
    ],
    [
      'sizes descriptors alike',
      write(storageEntry(() => ({ descriptor: { size: 1 } }))),
      /differs from its data descriptor/,
    ],
    [
      'packs descriptors alike',
      write(storageEntry(() => ({ descriptor: { compressedSize: 1 } }))),
      /differs from its data descriptor/,
    ],
    [
      'has the data of its sums',
      write(storageEntry(() => ({ central: { crc: 1 }, descriptor: { crc: 1 } }))),
      /does not match its CRC.*Expected 00000001/,
    ],
    ['has no overlap', write(storageEntry(() => ({ central: { localOffset: 0 } }))), /overlaps another/],
    [
      'has 64-bit sizes where it says',
      write(storageEntry(() => ({ central: { size: 0xffffffff } }))),
      /lacks its 64-bit record/,
    ],
    [
      'has 64-bit sizes once',
      write(storageEntry(() => ({ central: { extra: Buffer.concat([wideSizes(4), wideSizes(4)]) } }))),
      /two 64-bit records/,
    ],
    [
      'has whole 64-bit sizes',
      write(
        storageEntry(() => ({
          central: {
            size: 0xffffffff,
            compressedSize: 0xffffffff,
            extra: wideSizes(4).subarray(0, 12).fill(8, 2, 3),
          },
        })),
      ),
      /in the middle of a value/,
    ],
    [
      'has whole extra fields',
      write(storageEntry(() => ({ central: { extra: Buffer.of(1) } }))),
      /in the middle of a value/,
    ],
    ['knows its byte order', write({ byteorder: 'pdp' }), /byteorder.*Found "pdp"/],
    ['ends its pickle', write({ pickled: Buffer.from('\x80\x02N', 'latin1') }), /in the middle of a value/],
    [
      'has nothing after its pickle',
      write({ pickled: Buffer.from('\x80\x02N..', 'latin1') }),
      /bytes follow the pickle/,
    ],
    [
      'has the storages of its pickle',
      write({ edit: (entries) => entries.filter(({ name }) => !name.endsWith('/0')) }),
      /storage "0".*Found no such entry/,
    ],
    [
      'has storages as large as its pickle says',
      write(storageEntry(() => ({ data: Buffer.alloc(6) }))),
      /storage "0".*Expected 4 bytes. Found 6/,
    ],
    [
      'has storages no smaller than its pickle says',
      torchZip(dict([['a', tensorRef(storageRef(storage, 'zip', 1000), 0, tuple(1000), tuple(1))]]), [
        storage,
      ]),
      /storage "0".*Expected 2000 bytes. Found 4/,
    ],
  ])('requires that a file %s', (_, bytes, says) => {
    const error = errorOf(() => readCheckpoint(bytes, { source: 'a.pth' }));
    expect(error.message).toMatch(says);
    expect(error.code).toBe('GHOSTNET_MALFORMED_FILE');
    expect(error.message).toMatch(/^a\.pth: .*\(byte \d+\)/);
  });
});

describe('zip archives that are read no further', () => {
  const holding = (...names: readonly string[]) =>
    zip(names.map((name) => ({ name, data: Buffer.from('{}') })));

  it.each<[what: string, bytes: Buffer, says: RegExp]>([
    [
      'compressed entries',
      write(storageEntry(() => both({ method: 8 }))),
      /"archive\/data\/0" is compressed \(method 8\)/,
    ],
    [
      'encrypted entries',
      write(storageEntry(() => both({ flags: 0x0809 }))),
      /"archive\/data\/0" is encrypted/,
    ],
    ['another byte order', write({ byteorder: 'big' }), /big-endian/],
    ['TorchScript', holding('m/data.pkl', 'm/constants.pkl'), /TorchScript/],
    ['TorchScript code', holding('m/data.pkl', 'm/code/__torch__.py'), /TorchScript/],
    ['TorchScript for phones', holding('m/data.pkl', 'm/bytecode.pkl'), /TorchScript/],
    ['torch.export', holding('m/archive_format', 'm/data/weights/w'), /torch\.export/],
    ['an early torch.export', holding('version', 'serialized_exported_program.json'), /torch\.export/],
    ['Keras', holding('config.json', 'model.weights.h5'), /Keras/],
    ['NumPy', holding('w.npy'), /NumPy/],
  ])('are refused by name: %s', (_, bytes, says) => {
    const error = errorOf(() => readCheckpoint(bytes));
    expect(error.code).toBe('GHOSTNET_UNSUPPORTED_FORMAT');
    expect(error.message).toMatch(says);
  });

  it.each<[what: string, bytes: Buffer, says: RegExp]>([
    ['no entries', zip([], { wideEnd: false }), /Found no entries/],
    ['a document', holding('[Content_Types].xml', 'word/document.xml'), /Found "\[Content_Types\]\.xml"/],
    ['two pickles', holding('a/data.pkl', 'b/data.pkl'), /Found "a\/data\.pkl", "b\/data\.pkl"/],
    ['a pickle outside of a folder', holding('data.pkl'), /Found "data\.pkl"/],
  ])('are unknown: %s', (_, bytes, says) => {
    const error = errorOf(() => readCheckpoint(bytes));
    expect(error.code).toBe('GHOSTNET_UNKNOWN_FORMAT');
    expect(error.message).toMatch(says);
  });
});
