import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

import { GhostNetError } from '../../errors.js';
import { badRequest, bodyTooLarge } from '../faults.js';

/** The bytes of all bodies that are in memory. */
export class BodyBudget {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_QUEUE_FULL` */
  take(bytes: number): void {
    if (this.#held + bytes > this.#most) {
      throw new GhostNetError('GHOSTNET_QUEUE_FULL', 'The server holds as many bytes of requests as it may', {
        found: `${this.#held} bytes`,
        expected: `at most ${this.#most}, the option maxBufferedBytes of the server`,
        remedy: 'Try again later.',
      });
    }
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** A body in memory, until it is released. */
export interface Body {
  readonly bytes: Buffer;
  readonly release: () => void;
}

/** The bodies of requests, read under the limits of a server. */
export class BodyReader {
  readonly #most: number;
  readonly #budget: BodyBudget;
  /** Rejects the reading of a body that is on its way. */
  readonly #reading = new Set<(error: GhostNetError) => void>();
  #isStopped = false;

  constructor(most: number, budget: BodyBudget) {
    this.#most = most;
    this.#budget = budget;
  }

  /**
   * Reads the whole body of a request, and decompresses it.
   *
   * @throws {@link GhostNetError} `GHOSTNET_REQUEST_TOO_LARGE`, `GHOSTNET_QUEUE_FULL`, `GHOSTNET_BAD_REQUEST`,
   * `GHOSTNET_MEDIA_TYPE`, `GHOSTNET_ABORTED`
   */
  async read(request: IncomingMessage): Promise<Body> {
    const length = request.headers['content-length'];
    if (length !== undefined && Number(length) > this.#most)
      throw bodyTooLarge(this.#most, `${length} bytes`);
    let held = 0;
    const release = (): void => {
      this.#budget.give(held);
      held = 0;
    };
    const hold = (bytes: number): void => {
      this.#budget.take(bytes);
      held += bytes;
    };
    try {
      const raw = readBefore(request) ?? (await this.#untilStopped(this.#chunks(request, hold)));
      const bytes = await this.#decompressed(raw, request.headers['content-encoding'], hold);
      return { bytes, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Rejects the bodies that are on their way: the server ends. */
  stop(error: GhostNetError): void {
    this.#isStopped = true;
    for (const reject of this.#reading) reject(error);
  }

  async #untilStopped(body: Promise<Buffer>): Promise<Buffer> {
    let stop: (error: GhostNetError) => void = () => undefined;
    const stopped = new Promise<never>((_, reject) => {
      stop = reject;
      this.#reading.add(reject);
    });
    try {
      return await Promise.race([body, stopped]);
    } finally {
      this.#reading.delete(stop);
    }
  }

  async #chunks(request: IncomingMessage, hold: (bytes: number) => void): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      // A request that is refused goes on to be read, so that its client comes to read the answer.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        // The answer is on its way, and its client is to read it.
        if (this.#isStopped) continue;
        bytes += chunk.byteLength;
        if (bytes > this.#most) throw bodyTooLarge(this.#most, `more than ${this.#most} bytes`);
        hold(chunk.byteLength);
        chunks.push(chunk);
      }
    } catch (error) {
      if (error instanceof GhostNetError) throw error;
      throw new GhostNetError('GHOSTNET_ABORTED', 'The client ended the request before its body', {
        cause: error,
      });
    }
    // In memory of its own, which is released when it is read: a socket reads into what requests share.
    const body = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const chunk of chunks) at += chunk.copy(body, at);
    return body;
  }

  async #decompressed(
    raw: Buffer,
    encoding: string | undefined,
    hold: (bytes: number) => void,
  ): Promise<Buffer> {
    const name = encoding?.trim().toLowerCase() ?? 'identity';
    if (name === 'identity' || name === '') return raw;
    const decompress = Object.hasOwn(decoders, name) ? decoders[name as keyof typeof decoders] : undefined;
    if (decompress === undefined) {
      throw new GhostNetError('GHOSTNET_MEDIA_TYPE', 'The content encoding of the request is not known', {
        found: JSON.stringify(name.slice(0, 40)),
        expected: Object.keys(decoders).join(', '),
        remedy: 'Send the body as it is, or in one of these.',
      });
    }
    try {
      const bytes = await decompress(raw, { maxOutputLength: this.#most });
      hold(bytes.byteLength);
      return bytes;
    } catch (cause) {
      if (cause instanceof GhostNetError) throw cause;
      if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw bodyTooLarge(this.#most);
      throw badRequest(`The body of the request is not ${name}`);
    }
  }
}

const decoders = {
  gzip: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip),
  deflate: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate),
  br: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(brotliDecompress),
};

/**
 * The body that a framework in front has read already, as `express.raw()` and `express.json()` do.
 *
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST` if it is lost
 */
function readBefore(request: IncomingMessage): Buffer | undefined {
  if (!request.readableEnded && !request.readableDidRead) return undefined;
  const { body } = request as { readonly body?: unknown };
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  if (typeof body === 'object' && body !== null) return Buffer.from(JSON.stringify(body));
  throw badRequest('The body of the request was read before it came here', {
    expected: 'the handler in front of parsers of bodies',
  });
}
