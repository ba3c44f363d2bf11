import { quote } from '../check/words.js';
import { Cursor } from './cursor.js';
import { malformed } from './faults.js';
import type { Sliced } from './slices.js';
import { readExtra, saturated32 } from './zip-extra.js';

/** One entry as the central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  /** The offset of the record in the file, for messages. */
  readonly offset: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly localOffset: number;
}

/** The entries of a zip archive, and the offset of its central directory. */
export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  readonly offset: number;
}

const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const end64LocatorSignature = 0x07064b50;

const endSize = 22;
const end64Size = 56;
const end64LocatorSize = 20;

/** A value that refers to the 64-bit record. */
const saturated16 = 0xffff;

/** Far more than torch.save writes for any network, and few enough for the descriptions to need little memory. */
const mostEntries = 50_000;

/** torch.save names a folder after the file, and the entries in it by numbers. */
const longestName = 4096;

/**
 * Reads the central directory of a zip archive. The archive must end with its end record, without a comment: PyTorch writes it
 * this way, and then there is only one way to find the directory.
 *
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE`
 */
export function* readZipDirectory(bytes: Uint8Array, source: string): Sliced<ZipDirectory> {
  const { offset, size, count, end } = readEnd(bytes, source);
  if (offset + size !== end) {
    throw malformed(
      source,
      end,
      'the central directory of the zip archive does not end where its end record starts',
      {
        expected: `${end}`,
        found: `${offset} + ${size}`,
      },
    );
  }
  if (count > mostEntries)
    throw malformed(source, end, `the zip archive has more than ${mostEntries} entries`);
  const cursor = new Cursor(bytes, source, offset, end);
  const names = new Set<string>();
  const entries: ZipEntry[] = [];
  while (cursor.remaining > 0) {
    yield;
    const entry = readCentralRecord(cursor);
    if (names.has(entry.name)) {
      throw malformed(source, entry.offset, `the zip archive has two entries named ${quote(entry.name)}`);
    }
    names.add(entry.name);
    entries.push(entry);
    if (entries.length > count) break;
  }
  if (entries.length !== count) {
    throw malformed(source, end, 'the zip archive states a wrong number of entries', {
      expected: `${count}`,
      found: entries.length > count ? 'more' : `${entries.length}`,
    });
  }
  return { entries, offset };
}

interface DirectoryEnd {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
  /** The offset of the end records. */
  readonly end: number;
}

function readEnd(bytes: Uint8Array, source: string): DirectoryEnd {
  const start = bytes.byteLength - endSize;
  const cursor = start < 0 ? undefined : new Cursor(bytes, source, start);
  if (cursor?.u32() !== endSignature) {
    throw malformed(
      source,
      Math.max(start, 0),
      'the zip archive does not end with an end record: it is truncated',
    );
  }
  const disks = [cursor.u16(), cursor.u16()];
  const counts = [cursor.u16(), cursor.u16()];
  const size = cursor.u32();
  const offset = cursor.u32();
  if (cursor.u16() !== 0) throw cursor.fail('the zip archive has a comment, or bytes follow it');
  const [countOfDisk, count = 0] = counts;
  if (disks.some((disk) => disk !== 0) || countOfDisk !== count) {
    throw malformed(source, start, 'the zip archive is one of several parts');
  }
  const narrow = { offset, size, count, end: start };
  const locatorStart = start - end64LocatorSize;
  const locator = locatorStart < 0 ? undefined : new Cursor(bytes, source, locatorStart, start);
  if (locator?.u32() !== end64LocatorSignature) return narrow;
  return readEnd64(bytes, source, locator, narrow);
}

function readEnd64(bytes: Uint8Array, source: string, locator: Cursor, narrow: DirectoryEnd): DirectoryEnd {
  const locatorStart = locator.position - 4;
  const disk = locator.u32();
  const start = locator.u64();
  const disks = locator.u32();
  if (start !== locatorStart - end64Size || disk !== 0 || disks !== 1) {
    throw malformed(
      source,
      locatorStart,
      'the 64-bit end record of the zip archive is not where its locator says',
    );
  }
  const cursor = new Cursor(bytes, source, start, locatorStart);
  const signature = cursor.u32();
  const recordSize = cursor.u64();
  cursor.take(4); // versions
  const recordDisks = [cursor.u32(), cursor.u32()];
  const countOfDisk = cursor.u64();
  const count = cursor.u64();
  const size = cursor.u64();
  const offset = cursor.u64();
  const agree =
    (narrow.count === count || narrow.count === saturated16) &&
    (narrow.size === size || narrow.size === saturated32) &&
    (narrow.offset === offset || narrow.offset === saturated32);
  if (
    signature !== end64Signature ||
    recordSize !== end64Size - 12 ||
    recordDisks.some((part) => part !== 0) ||
    countOfDisk !== count ||
    !agree
  ) {
    throw malformed(
      source,
      start,
      'the 64-bit end record of the zip archive contradicts itself or the end record',
    );
  }
  return { offset, size, count, end: start };
}

function readCentralRecord(cursor: Cursor): ZipEntry {
  const offset = cursor.position;
  if (cursor.u32() !== centralSignature) {
    throw cursor.fail(
      'the central directory of the zip archive contains a record that is not an entry',
      {},
      offset,
    );
  }
  cursor.take(4); // versions
  const flags = cursor.u16();
  const method = cursor.u16();
  cursor.take(4); // time and date
  const crc = cursor.u32();
  const narrowCompressedSize = cursor.u32();
  const narrowSize = cursor.u32();
  const nameLength = cursor.u16();
  const extraLength = cursor.u16();
  const commentLength = cursor.u16();
  const disk = cursor.u16();
  cursor.take(6); // attributes
  const narrowLocalOffset = cursor.u32();
  if (nameLength > longestName) {
    throw cursor.fail(`the name of a zip entry is longer than ${longestName} bytes`, {}, offset);
  }
  const name = Buffer.from(cursor.take(nameLength)).toString();
  const extra = readExtra(cursor, extraLength);
  const size = extra.widen(narrowSize);
  const compressedSize = extra.widen(narrowCompressedSize);
  const localOffset = extra.widen(narrowLocalOffset);
  cursor.take(commentLength);
  if (disk !== 0) throw cursor.fail('an entry of the zip archive lies in another part', {}, offset);
  return { name, offset, flags, method, crc, compressedSize, size, localOffset };
}
