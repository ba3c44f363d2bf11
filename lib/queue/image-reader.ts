import type { Redis } from 'ioredis';

import { GhostNetError } from '../errors.js';
import { contentKey, type ImageJob } from './job.js';
import { FolderReader } from './paths.js';
import { UrlReader } from './urls.js';

/** Which images a worker may read. */
export interface Allowed {
  /** The folder of the paths in jobs. Default: none, so that jobs with paths are refused. */
  readonly root?: string | undefined;
  /** The beginnings of addresses in jobs. Default: none. */
  readonly urlPrefixes: readonly string[];
  readonly maxImageBytes: number;
  readonly fetchTimeoutMs: number;
}

/** Reads the images that jobs refer to. */
export class ImageReader {
  readonly #folder: FolderReader | undefined;
  readonly #urls: UrlReader | undefined;
  readonly #redis: Redis;
  readonly #queue: string;
  readonly #maxBytes: number;

  private constructor(
    folder: FolderReader | undefined,
    urls: UrlReader | undefined,
    redis: Redis,
    queue: string,
    maxBytes: number,
  ) {
    this.#folder = folder;
    this.#urls = urls;
    this.#redis = redis;
    this.#queue = queue;
    this.#maxBytes = maxBytes;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE` */
  static async open(
    { root, urlPrefixes, maxImageBytes, fetchTimeoutMs }: Allowed,
    redis: Redis,
    queue: string,
  ): Promise<ImageReader> {
    const folder = root === undefined ? undefined : await FolderReader.open(root);
    const urls = urlPrefixes.length === 0 ? undefined : UrlReader.open(urlPrefixes, fetchTimeoutMs);
    return new ImageReader(folder, urls, redis, queue, maxImageBytes);
  }

  /** @throws {@link GhostNetError} as {@link FolderReader.read} and {@link UrlReader.read} */
  async read(job: ImageJob, signal: AbortSignal): Promise<Uint8Array> {
    if ('path' in job) {
      if (this.#folder === undefined) throw refused('paths', 'root (`--root`)');
      return this.#folder.read(job.path, this.#maxBytes, signal);
    }
    if ('url' in job) {
      if (this.#urls === undefined) throw refused('URLs', 'urlPrefixes (`--allow-url`)');
      return this.#urls.read(job.url, this.#maxBytes, signal);
    }
    const bytes = await this.#redis.getBuffer(contentKey(this.#queue, job.content));
    if (bytes !== null) return bytes;
    throw new GhostNetError('GHOSTNET_FILE_NOT_FOUND', 'The content of the image is not in Redis', {
      found: job.content,
      remedy:
        'Put it into the queue again: content is kept for seven days at most, and until its job is done.',
    });
  }

  async close(): Promise<void> {
    await this.#urls?.close();
  }
}

function refused(what: string, option: string): GhostNetError {
  return new GhostNetError('GHOSTNET_NOT_ALLOWED', `This worker takes no ${what}`, {
    remedy: `Start it with the option ${option}, or let the producer send something else.`,
  });
}
