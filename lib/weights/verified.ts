import { createHash } from 'node:crypto';
import { constants, open, type FileHandle } from 'node:fs/promises';

import { isOwn, readOwn, writeOwn } from './own-files.js';
import type { WeightsEntry } from './registry.js';

/** A record beside a verified file, so that its checksum need not be computed at every start. */
interface VerifiedRecord {
  readonly bytes: number;
  /** Nanoseconds since 1970, decimal. */
  readonly modified: string;
  readonly sha256: string;
}

/** More than a record has. */
const longestRecord = 1024;

/** The path of the record of a file. */
const recordPath = (path: string): string => `${path}.verified`;

/** SHA-256 of an open file from its beginning, in lower-case hexadecimal. */
export async function hashFile(file: FileHandle, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (let position = 0; ;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** Records the checksum of a file that is at the path, or will be renamed to it. */
export async function recordVerified(path: string, file: FileHandle, sha256: string): Promise<void> {
  await writeRecord(path, { ...(await describe(file)), sha256 });
}

/**
 * The checksum of a file if it is the complete file of the entry. The bytes are read only if size or modification time differ
 * from the verified file, or another user could have written the file or the record. Without a checksum in the registry, the
 * checksum of the download counts.
 */
export async function verifiedSha256(
  path: string,
  entry: Pick<WeightsEntry, 'bytes' | 'sha256'>,
): Promise<string | undefined> {
  let file: FileHandle;
  try {
    // A FIFO without a writer must not hold up the thread.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    const found = await describe(file);
    if (entry.bytes !== undefined && found.bytes !== entry.bytes) return undefined;
    const record = isOwn(stats) ? await readRecord(path) : undefined;
    const expected = entry.sha256 ?? record?.sha256;
    if (expected === undefined) return undefined;
    if (record?.sha256 === expected && record.bytes === found.bytes && record.modified === found.modified) {
      return expected;
    }
    if ((await hashFile(file)) !== expected) return undefined;
    // A read-only cache is verified again by every process.
    if (isOwn(stats)) await writeRecord(path, { ...found, sha256: expected }).catch(() => undefined);
    return expected;
  } catch {
    return undefined; // a folder, or a file that cannot be read
  } finally {
    await file.close();
  }
}

async function describe(file: FileHandle): Promise<Omit<VerifiedRecord, 'sha256'>> {
  const { size, mtimeNs } = await file.stat({ bigint: true });
  return { bytes: Number(size), modified: String(mtimeNs) };
}

async function writeRecord(path: string, record: VerifiedRecord): Promise<void> {
  await writeOwn(recordPath(path), JSON.stringify(record));
}

async function readRecord(path: string): Promise<Partial<VerifiedRecord> | undefined> {
  try {
    const parsed: unknown = JSON.parse((await readOwn(recordPath(path), longestRecord)) ?? 'null');
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
