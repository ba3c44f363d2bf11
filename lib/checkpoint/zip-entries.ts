import { crc32 } from 'node:zlib';
import { quote } from '../check/words.js';
import { Cursor } from './cursor.js';
import { malformed, unsupported } from './faults.js';
import type { Sliced } from './slices.js';
import type { ZipDirectory, ZipEntry } from './zip-directory.js';
import { readExtra } from './zip-extra.js';

const localSignature = 0x04034b50;
const descriptorSignature = 0x08074b50;
const localSize = 30;

const encryptedFlag = 0x0001;
const descriptorFlag = 0x0008;
const storedMethod = 0;

/** The bytes whose checksum is computed between two pauses. */
const chunkBytes = 1 << 24;

/**
 * The data of every entry, as views. Each entry must be stored uncompressed, have the same description in both headers, match
 * its CRC, and share no byte with another entry or with the directory.
 *
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE`; `GHOSTNET_UNSUPPORTED_FORMAT` if entries are compressed or encrypted
 */
export function* readStoredEntries(
  bytes: Uint8Array,
  { entries, offset: directoryOffset }: ZipDirectory,
  source: string,
): Sliced<ReadonlyMap<string, Uint8Array>> {
  const data = new Map<string, Uint8Array>();
  let free = 0;
  for (const entry of [...entries].sort((a, b) => a.localOffset - b.localOffset)) {
    if (entry.localOffset < free) {
      throw malformed(source, entry.localOffset, `the zip entry ${quote(entry.name)} overlaps another`);
    }
    const cursor = new Cursor(bytes, source, Math.min(entry.localOffset, directoryOffset), directoryOffset);
    data.set(entry.name, yield* readStoredEntry(cursor, entry));
    free = cursor.position;
  }
  return data;
}

function* readStoredEntry(cursor: Cursor, entry: ZipEntry): Sliced<Uint8Array> {
  const { source } = cursor;
  const title = `the zip entry ${quote(entry.name)}`;
  if ((entry.flags & encryptedFlag) !== 0) {
    throw unsupported(source, `${title} is encrypted`, 'Save the weights without a password.');
  }
  if (entry.method !== storedMethod) {
    throw unsupported(
      source,
      `${title} is compressed (method ${entry.method}), which torch.save never does`,
      'Load the file in PyTorch and save it again, or repack it without compression.',
    );
  }
  const start = cursor.position;
  const zip64 = checkLocalHeader(cursor, entry, title);
  const data = cursor.take(entry.size);
  if ((entry.flags & descriptorFlag) !== 0) checkDescriptor(cursor, entry, zip64, title);
  const crc = yield* checksum(data);
  if (crc !== entry.crc) {
    throw malformed(source, start, `the data of ${title} does not match its CRC`, {
      expected: hex(entry.crc),
      found: hex(crc),
      ...(entry.crc === 0 && {
        remedy:
          'Download the file again; if it was saved with set_crc32_options(False), save it with checksums.',
      }),
    });
  }
  return data;
}

function* checksum(data: Uint8Array): Sliced<number> {
  let crc = 0;
  for (let start = 0; start < data.byteLength; start += chunkBytes) {
    crc = crc32(data.subarray(start, start + chunkBytes), crc);
    yield;
  }
  return crc;
}

/** @returns whether the local header has a 64-bit record, which widens the data descriptor too */
function checkLocalHeader(cursor: Cursor, entry: ZipEntry, title: string): boolean {
  const start = cursor.position;
  if (cursor.remaining < localSize || cursor.u32() !== localSignature) {
    throw cursor.fail(`${title} has no local header at the offset in the directory`, {}, start);
  }
  cursor.take(2); // version
  const flags = cursor.u16();
  const method = cursor.u16();
  cursor.take(4); // time and date
  const crc = cursor.u32();
  const narrowCompressedSize = cursor.u32();
  const narrowSize = cursor.u32();
  const nameLength = cursor.u16();
  const extraLength = cursor.u16();
  const name = Buffer.from(cursor.take(nameLength)).toString();
  const extra = readExtra(cursor, extraLength);
  const size = extra.widen(narrowSize);
  const compressedSize = extra.widen(narrowCompressedSize);
  // A streaming writer does not know these values yet: it writes zeros here and appends a data descriptor.
  const deferred = (flags & descriptorFlag) !== 0 && crc === 0 && size === 0 && compressedSize === 0;
  const same =
    name === entry.name &&
    flags === entry.flags &&
    method === entry.method &&
    (deferred || (crc === entry.crc && size === entry.size && compressedSize === entry.compressedSize));
  if (!same) throw cursor.fail(`${title} differs from its local header`, {}, start);
  if (entry.compressedSize !== entry.size) {
    throw cursor.fail(`${title} is stored, but has two sizes`, {}, entry.offset);
  }
  return extra.zip64;
}

function checkDescriptor(cursor: Cursor, entry: ZipEntry, zip64: boolean, title: string): void {
  const start = cursor.position;
  const signature = cursor.u32();
  const crc = cursor.u32();
  const compressedSize = zip64 ? cursor.u64() : cursor.u32();
  const size = zip64 ? cursor.u64() : cursor.u32();
  const same =
    signature === descriptorSignature &&
    crc === entry.crc &&
    compressedSize === entry.compressedSize &&
    size === entry.size;
  if (!same) throw cursor.fail(`${title} differs from its data descriptor`, {}, start);
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
