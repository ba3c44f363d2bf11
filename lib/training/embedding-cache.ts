import { createHash, randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, readdir, rm, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { foreignLink, makeFolder, openOwn, writeOwn } from '../weights/own-files.js';

/** The bytes of a hash. */
const keyBytes = 32;

/** What a segment begins with: another form has another text. */
const head = Buffer.from('ghostnet embeddings 1\n');

/** Where a cache is, and how large it may become. */
export interface CachePlace {
  /** The cache folder of the package. */
  readonly root: string;
  /** The most bytes of all embeddings of all networks. */
  readonly mostBytes: number;
}

/** All that an embedding depends on but the image, as a name. */
export function cacheName(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}

/**
 * Embeddings on disk, by the hash of the image: `<root>/embeddings/<name>/<segment>`. A segment is written once, whole, and has a
 * checksum; processes may read and write at the same time. Nothing of other users is believed, and the segments that were used least
 * recently are removed when all of them become too large.
 */
export class EmbeddingCache {
  readonly #root: string;
  readonly #all: string;
  readonly #folder: string;
  readonly #features: number;
  readonly #mostBytes: number;

  /**
   * @param name - as {@link cacheName} makes it
   * @param features - the length of an embedding
   */
  constructor({ root, mostBytes }: CachePlace, name: string, features: number) {
    this.#root = root;
    this.#all = join(root, 'embeddings');
    this.#folder = join(this.#all, name);
    this.#features = features;
    this.#mostBytes = mostBytes;
  }

  /** Those of these images that are there. What cannot be read or is damaged is not there. */
  async read(keys: ReadonlySet<string>): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    for (const name of await namesIn(this.#folder)) {
      if (found.size === keys.size) break;
      const path = join(this.#folder, name);
      const bytes = await this.#segment(path);
      if (bytes === undefined) continue;
      const before = found.size;
      for (const [key, values] of this.#recordsOf(bytes)) if (keys.has(key)) found.set(key, values);
      const now = new Date();
      if (found.size > before) await utimes(path, now, now).catch(() => undefined);
    }
    return found;
  }

  /** Adds a segment, and removes others if all are too large. @throws the error of the system */
  async add(embeddings: ReadonlyMap<string, Float32Array>): Promise<void> {
    if (embeddings.size === 0) return;
    await makeFolder(this.#folder);
    const link = await foreignLink(this.#root, this.#folder);
    if (link !== undefined) throw new Error(`another user has put a link at ${link}`);
    await writeOwn(join(this.#folder, randomUUID()), this.#bytesOf(embeddings));
    await this.#limit();
  }

  get #recordBytes(): number {
    return keyBytes + 4 * this.#features;
  }

  #bytesOf(embeddings: ReadonlyMap<string, Float32Array>): Uint8Array {
    const bytes = Buffer.alloc(head.length + embeddings.size * this.#recordBytes + keyBytes);
    let at = head.copy(bytes);
    for (const [key, values] of embeddings) {
      bytes.write(key, at, 'hex');
      Buffer.from(values.buffer, values.byteOffset, values.byteLength).copy(bytes, at + keyBytes);
      at += this.#recordBytes;
    }
    createHash('sha256').update(bytes.subarray(0, at)).digest().copy(bytes, at);
    return bytes;
  }

  /** The content of a segment; undefined if it is none, or damaged. */
  async #segment(path: string): Promise<Buffer | undefined> {
    const file = await openOwn(path);
    if (file === undefined) return undefined;
    try {
      return await this.#checked(file);
    } catch {
      return undefined;
    } finally {
      await file.close();
    }
  }

  async #checked(file: FileHandle): Promise<Buffer | undefined> {
    const { size } = await file.stat();
    const records = (size - head.length - keyBytes) / this.#recordBytes;
    if (!Number.isInteger(records) || records < 1 || size > this.#mostBytes) return undefined;
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    const end = size - keyBytes;
    if (bytesRead < size || !bytes.subarray(0, head.length).equals(head)) return undefined;
    const sum = createHash('sha256').update(bytes.subarray(0, end)).digest();
    return sum.equals(bytes.subarray(end)) ? bytes : undefined;
  }

  *#recordsOf(bytes: Buffer): Generator<[key: string, values: Float32Array]> {
    for (let at = head.length; at < bytes.length - keyBytes; at += this.#recordBytes) {
      const start = bytes.byteOffset + at + keyBytes;
      // In memory of its own: a record need not be aligned, and does not keep its segment.
      const values = new Float32Array(bytes.buffer.slice(start, start + 4 * this.#features) as ArrayBuffer);
      yield [bytes.toString('hex', at, at + keyBytes), values];
    }
  }

  /** Removes segments, that which was used least recently first, until the rest fits. */
  async #limit(): Promise<void> {
    const segments: { path: string; stats: Stats }[] = [];
    for (const name of await namesIn(this.#all)) {
      for (const segment of await namesIn(join(this.#all, name))) {
        const path = join(this.#all, name, segment);
        const stats = await lstat(path).catch(() => undefined);
        if (stats?.isFile() === true) segments.push({ path, stats });
      }
    }
    segments.sort((a, b) => b.stats.mtimeMs - a.stats.mtimeMs);
    let sum = 0;
    for (const { path, stats } of segments) {
      sum += stats.size;
      if (sum > this.#mostBytes) await rm(path, { force: true }).catch(() => undefined);
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.sort();
}
