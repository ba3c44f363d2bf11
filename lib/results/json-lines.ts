import {
  appendFileSync,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { promisify } from 'node:util';

import { isObject } from '../check/json.js';
import { GhostNetError } from '../errors.js';
import { kindOf, reasonOf, remedyOfReading } from '../files.js';
import { FileLock, type LockTiming } from '../weights/lock.js';
import { GroupedWrites } from './group.js';
import { KeySet } from './key-set.js';
import type { ResultRow, ResultSink } from './row.js';

const flush = promisify(fdatasync);

/** Of the lock that writers hold during a write: a dead one holds it up for less than a second. */
const timing: LockTiming = { heartbeatMs: 200, staleMs: 10_000 };

/** More than any row has: an embedding takes 30,000 bytes. */
const longestLine = 16 * 2 ** 20;
const chunkBytes = 2 ** 20;
const newline = 0x0a;

/**
 * A file of JSON lines, one for each result, which several processes may write at once. The file is its own journal: rows are
 * appended and flushed to the disk, a line that was cut off by the end of a process is removed by the next writer, and keys that are
 * there are not written again. Beside it stands a `.lock` file during a write.
 */
export class JsonLinesFile implements ResultSink {
  readonly name: string;
  readonly #path: string;
  readonly #keys = new KeySet();
  readonly #writes = new GroupedWrites((rows) => this.#append(rows));
  /** What is known of the file: which it is, and up to where its keys are. */
  #inode = -1n;
  #end = 0;
  #lines = 0;

  private constructor(path: string) {
    this.#path = path;
    this.name = path;
  }

  /**
   * Opens a file, or creates it, and reads the keys in it.
   *
   * @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`; `GHOSTNET_MALFORMED_FILE` if there is something else in the file
   */
  static async open(path: string): Promise<JsonLinesFile> {
    const file = new JsonLinesFile(path);
    await file.#append([]);
    return file;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  write(row: ResultRow): Promise<boolean> {
    return this.#writes.add(row);
  }

  close(): Promise<void> {
    return this.#writes.end();
  }

  async #append(rows: readonly ResultRow[]): Promise<boolean[]> {
    try {
      const existing = statSync(this.#path, { throwIfNoEntry: false });
      if (existing !== undefined && !existing.isFile()) throw this.#unwritable(kindOf(existing));
      const lock = await FileLock.acquire(`${this.#path}.lock`, timing);
      try {
        // Only the flush waits for the disk: to ask another thread for the rest costs more of the processor than to do it.
        const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
        const descriptor = openSync(this.#path, flags, 0o666);
        try {
          return await this.#appendTo(descriptor, rows, lock);
        } finally {
          closeSync(descriptor);
        }
      } finally {
        await lock.release();
      }
    } catch (cause) {
      if (cause instanceof GhostNetError) throw cause;
      throw this.#unwritable(reasonOf(cause), cause);
    }
  }

  async #appendTo(descriptor: number, rows: readonly ResultRow[], lock: FileLock): Promise<boolean[]> {
    this.#catchUp(descriptor);
    const lines: string[] = [];
    const added = new Set<string>();
    const areNew = rows.map((row) => {
      if (this.#keys.has(row.key) || added.has(row.key)) return false;
      added.add(row.key);
      lines.push(`${lineOf(row)}\n`);
      return true;
    });
    if (lines.length === 0) return areNew;
    // A process that was stopped for so long that others took the lock must not write beside them.
    if (!(await lock.isMine())) throw this.#unwritable('the lock was taken over by another process');
    const bytes = Buffer.from(lines.join(''));
    appendFileSync(descriptor, bytes);
    await flush(descriptor);
    for (const key of added) this.#keys.add(key);
    this.#end += bytes.byteLength;
    this.#lines += lines.length;
    return areNew;
  }

  /** Reads the keys that others have added, and removes a line that is cut off. */
  #catchUp(descriptor: number): void {
    const { ino, size } = fstatSync(descriptor, { bigint: true });
    if (ino !== this.#inode || size < this.#end) {
      this.#keys.clear();
      this.#inode = ino;
      this.#end = 0;
      this.#lines = 0;
    }
    const chunk = Buffer.alloc(Math.min(chunkBytes, Number(size) - this.#end));
    let begun = Buffer.alloc(0);
    let position = this.#end;
    while (position < size) {
      const bytesRead = readSync(descriptor, chunk, 0, chunk.length, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      let start = 0;
      for (
        let end = chunk.indexOf(newline);
        end !== -1 && end < bytesRead;
        end = chunk.indexOf(newline, start)
      ) {
        const line = Buffer.concat([begun, chunk.subarray(start, end)]);
        begun = Buffer.alloc(0);
        this.#lines += 1;
        this.#keys.add(this.#keyOf(line));
        this.#end += line.length + 1;
        start = end + 1;
      }
      begun = Buffer.concat([begun, chunk.subarray(start, bytesRead)]);
      if (begun.length > longestLine) throw this.#malformed(this.#lines + 1);
    }
    if (begun.length > 0) ftruncateSync(descriptor, this.#end);
  }

  #keyOf(line: Buffer): string {
    const text = line.toString();
    const key = /^\{"key":"([0-9a-f]{64})",/.exec(text)?.[1] ?? keyIn(text);
    if (key === undefined) throw this.#malformed(this.#lines);
    return key;
  }

  #malformed(line: number): GhostNetError {
    return new GhostNetError(
      'GHOSTNET_MALFORMED_FILE',
      `The file ${this.#path} has other lines than results`,
      {
        found: `line ${line}`,
        expected: 'JSON with a key, as this package writes it',
        remedy: 'Pass the path of a new file, or of one with results.',
      },
    );
  }

  #unwritable(found: string, cause?: unknown): GhostNetError {
    return new GhostNetError('GHOSTNET_FILE_UNWRITABLE', `Results cannot be written to ${this.#path}`, {
      found,
      remedy: remedyOfReading(cause),
      cause,
    });
  }
}

/** A row as JSON, the key first. */
function lineOf({ key, ...rest }: ResultRow): string {
  return JSON.stringify({ key, ...rest });
}

function keyIn(text: string): string | undefined {
  try {
    const row: unknown = JSON.parse(text);
    return isObject(row) && typeof row.key === 'string' ? row.key : undefined;
  } catch {
    return undefined;
  }
}
