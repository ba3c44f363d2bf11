import { addAbortSignal, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ReadableStream } from 'node:stream/web';
import { types } from 'node:util';

import { isBlob, isUrl, isWebStream } from '../check/kinds.js';
import { plainBytes } from '../check/memory.js';
import { invalidArgument } from '../check/option.js';
import { inWords, messageOf, quote } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { pathOf } from '../files.js';
import type { NativeImage } from '../native/addon.js';
import { Tensor } from '../tensor.js';
import type { ImageInput, WebStream } from './input.js';

/** An image that waits for its turn. What waits holds nothing but what the caller handed over. */
export interface ImageSource {
  /** The image in words, for messages. */
  readonly name: string;
  /** Whether it is read from a stream, whose end may be far away. */
  readonly isStream?: boolean;
  /**
   * Opens the image. The signal ends the reading of a stream, and destroys the stream.
   *
   * @param maxImageBytes - the option, for everything but a path, whose file is read later
   * @throws {@link GhostNetError} `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_FILE_TOO_LARGE`, `GHOSTNET_DISPOSED`
   */
  readonly open: (signal: AbortSignal, maxImageBytes: number) => NativeImage | Promise<NativeImage>;
  /** Releases an image that will not be opened: a stream is destroyed. */
  readonly discard?: () => void;
}

/**
 * Checks the form of an image, without reading it.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`
 */
export function sourceOf(image: ImageInput): ImageSource {
  if (typeof image === 'string') return fileSource(checkedPath(image));
  if ((image as unknown) instanceof ReadySource) return (image as unknown as ReadySource).source;
  if (isUrl(image)) return fileSource(pathOf(image.protocol === 'file:' ? image : checkedPath(image.href)));
  if ((image as unknown) instanceof Tensor) return tensorSource(image as Tensor);
  if (types.isUint8Array(image)) return bytesSource(memoryOf(image));
  if (types.isAnyArrayBuffer(image)) return bytesSource(viewOf(image));
  if (isBlob(image)) return blobSource(image);
  if (image instanceof Readable || isWebStream(image)) return streamSource(image);
  if (isRawImage(image)) return pixelsSource(image);
  throw invalidArgument(
    'The image has an unsupported form',
    image,
    'a path, a file: URL, the content of an image file (Uint8Array, ArrayBuffer, Blob or readable stream), ' +
      '{ data, width, height } or a uint8 Tensor [H,W,3]',
  );
}

function isRawImage(image: unknown): image is { data: unknown; width: unknown; height: unknown } {
  return (
    typeof image === 'object' && image !== null && 'data' in image && 'width' in image && 'height' in image
  );
}

function viewOf(buffer: ArrayBufferLike): Uint8Array {
  try {
    return new Uint8Array(buffer);
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_DISPOSED', 'The memory of an ArrayBuffer was transferred', { cause });
  }
}

/** The bytes as they are, and not as a subclass of Uint8Array describes them. */
function memoryOf(bytes: Uint8Array): Uint8Array {
  const memory = plainBytes(bytes);
  if (memory !== undefined) return memory;
  throw new GhostNetError('GHOSTNET_DISPOSED', 'The memory of the bytes of an image was transferred');
}

/** A string that was meant as something else than a path gets an error that says how to pass it. */
function checkedPath(path: string): string {
  const scheme = schemeOf(path);
  if (scheme !== undefined) throw urlAsPath(path, scheme);
  if (path === '' || path.includes('\0')) {
    throw invalidArgument(
      'The image has an empty path or a path with a null byte',
      path,
      'the path of a file',
    );
  }
  if (path.length <= longestPath) return path;
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The path of an image is too long', {
    found: `${path.length} characters that begin with ${quote(path.slice(0, 20))}`,
    expected: `at most ${longestPath} characters`,
    remedy:
      "Pass the content of an image as bytes; base64 text becomes bytes with `Buffer.from(text, 'base64')`.",
  });
}

/** The longest path that Linux opens. */
const longestPath = 4096;

/** The scheme of a string that is a URL and not a path, in small letters. */
export function schemeOf(path: string): string | undefined {
  return /^\s*(data|https?|ftp|blob|file):/i.exec(path)?.[1]?.toLowerCase();
}

const remedies: Record<string, string> = {
  data: "Pass its bytes: `Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')`.",
  blob: 'Pass the Blob itself.',
  file: 'Pass a URL object, `new URL(text)`, or the path.',
};

function urlAsPath(text: string, scheme: string): GhostNetError {
  const article = scheme === 'http' || scheme === 'https' || scheme === 'ftp' ? 'an' : 'a';
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `The image is ${article} ${scheme}: URL`, {
    // Neither the data nor a password goes into a log.
    found: scheme === 'data' ? `${text.length} characters` : quote(text.replace(/\/\/[^/]*@/, '//')),
    expected: 'a path, a file: URL, or the content of an image file',
    remedy:
      remedies[scheme] ??
      'Download it first, from addresses that you trust only: `await (await fetch(url)).blob()`.',
  });
}

function fileSource(path: string): ImageSource {
  return { name: path, open: () => ({ path }) };
}

/** An image that only the rest of the package can make: its source as it is. */
class ReadySource {
  readonly source: ImageSource;

  constructor(source: ImageSource) {
    this.source = source;
  }
}

/**
 * An image of a listing: a file, by a name of any encoding, or the error of listing it.
 *
 * @param name - for messages
 */
export function listedImage(name: string, file: string | Buffer | GhostNetError): ImageInput {
  const open = (): NativeImage => {
    if (file instanceof GhostNetError) throw file;
    return { path: file };
  };
  // Users cannot make one, so their types do not mention it.
  return new ReadySource({ name, open }) as unknown as ImageInput;
}

function bytesSource(bytes: Uint8Array): ImageSource {
  const held = new HeldBytes(bytes);
  const name = `of ${bytes.byteLength} bytes`;
  return {
    name,
    open: (_, maxImageBytes) => {
      checkBytes(name, bytes.byteLength, maxImageBytes);
      return { bytes: held.read() };
    },
  };
}

/**
 * The content of an image file that nobody else uses: it is read where it is, and its memory may be released once it is decoded.
 *
 * @param name - the image in words, for messages
 */
export function ownedSource(bytes: Uint8Array, name = `of ${bytes.byteLength} bytes`): ImageSource {
  return {
    name,
    open: (_, maxImageBytes) => {
      checkBytes(name, bytes.byteLength, maxImageBytes);
      return { bytes, isOwn: true };
    },
  };
}

/** {@link ownedSource} for a public call. */
export function ownedImage(bytes: Uint8Array): ImageInput {
  return new ReadySource(ownedSource(bytes)) as unknown as ImageInput;
}

/** Bytes that stay the caller's, and are read later: a queue of copies would have no bound. */
class HeldBytes {
  readonly #bytes: Uint8Array;
  readonly #length: number;
  readonly #sample: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#length = bytes.byteLength;
    this.#sample = sampleOf(bytes);
  }

  /** @throws {@link GhostNetError} `GHOSTNET_DISPOSED` if the bytes were released, resized or, as far as a sample shows, changed */
  read(): Uint8Array {
    // Memory that is transferred to another thread has a length of 0 here.
    if (this.#bytes.byteLength === this.#length && sampleOf(this.#bytes) === this.#sample) return this.#bytes;
    throw new GhostNetError(
      'GHOSTNET_DISPOSED',
      'The bytes of an image were changed or released while it waited',
      {
        remedy: 'Leave the bytes as they are until the promise settles, or pass a copy.',
      },
    );
  }
}

/** A number that differs for different images: a hash of bytes spread over them. */
function sampleOf(bytes: Uint8Array): number {
  const step = Math.max(1, Math.floor(bytes.length / 256));
  let hash = 0;
  for (let position = 0; position < bytes.length; position += step) {
    hash = (Math.imul(hash, 31) + (bytes[position] ?? 0)) | 0;
  }
  return hash;
}

function blobSource(blob: Blob): ImageSource {
  const name = 'name' in blob && typeof blob.name === 'string' ? quote(blob.name) : `of ${blob.size} bytes`;
  return {
    name,
    open: (_, maxImageBytes) => {
      checkBytes(name, blob.size, maxImageBytes);
      return contentOf(name, () => bufferOf(blob));
    },
  };
}

/** The content of a Blob. That of jsdom, in Jest, lacks `arrayBuffer()`, and its realm has a reader for it. */
function bufferOf(blob: Blob): Promise<ArrayBuffer> {
  const { FileReader: Reader } = globalThis as { FileReader?: new () => BlobReader };
  if (typeof blob.arrayBuffer === 'function' || Reader === undefined) return blob.arrayBuffer();
  return new Promise((resolve, reject) => {
    const reader = new Reader();
    reader.onload = () => {
      resolve(reader.result);
    };
    reader.onerror = () => {
      reject(reader.error);
    };
    reader.readAsArrayBuffer(blob);
  });
}

/** A FileReader of the web platform, as far as it is used. */
interface BlobReader {
  readonly result: ArrayBuffer;
  readonly error: Error;
  onload: () => void;
  onerror: () => void;
  readAsArrayBuffer(blob: Blob): void;
}

function streamSource(stream: Readable | WebStream): ImageSource {
  const name = 'from a stream';
  let failure: unknown;
  // An error while nobody reads must not end the process.
  if (stream instanceof Readable) stream.on('error', (error) => (failure ??= error));
  return {
    name,
    isStream: true,
    open: (signal, maxImageBytes) =>
      contentOf(name, () => {
        if (failure !== undefined) throw failure as Error;
        const readable = stream instanceof Readable ? stream : Readable.fromWeb(stream as ReadableStream);
        return buffer(upTo(maxImageBytes, name, addAbortSignal(signal, readable)));
      }),
    discard: () => {
      if (stream instanceof Readable) stream.destroy();
      else stream.cancel().catch(() => undefined);
    },
  };
}

/** The chunks of a stream, which is destroyed if they have too many bytes: it may never end. */
async function* upTo(
  maxImageBytes: number,
  name: string,
  chunks: AsyncIterable<unknown>,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    const content = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array);
    bytes += content.byteLength;
    checkBytes(name, bytes, maxImageBytes);
    yield content;
  }
}

/** @throws {@link GhostNetError} `GHOSTNET_FILE_TOO_LARGE` */
function checkBytes(name: string, bytes: number, maxImageBytes: number): void {
  if (bytes <= maxImageBytes) return;
  throw new GhostNetError('GHOSTNET_FILE_TOO_LARGE', `The image ${name} is too large`, {
    found: `${bytes} bytes`,
    expected: `at most ${maxImageBytes} bytes, the option maxImageBytes`,
  });
}

async function contentOf(name: string, read: () => Promise<ArrayBuffer | Buffer>): Promise<NativeImage> {
  try {
    const content = await read();
    return { bytes: types.isUint8Array(content) ? content : new Uint8Array(content), isOwn: true };
  } catch (cause) {
    if (cause instanceof GhostNetError && cause.code === 'GHOSTNET_FILE_TOO_LARGE') throw cause;
    throw new GhostNetError('GHOSTNET_FILE_UNREADABLE', `The image ${name} cannot be read`, {
      found: messageOf(cause),
      remedy: 'Pass a stream or Blob that can be read to its end.',
      cause,
    });
  }
}

function tensorSource({ dtype, shape, data, disposed }: Tensor): ImageSource {
  if (disposed) {
    throw new GhostNetError('GHOSTNET_DISPOSED', 'The memory of an image tensor was released');
  }
  if (!types.isUint8Array(data)) {
    throw new GhostNetError('GHOSTNET_BAD_DTYPE', 'The image tensor has the wrong dtype', {
      found: dtype,
      expected: 'uint8 of shape [H,W,3]',
    });
  }
  const [height = 0, width = 0, channels] = shape;
  if (shape.length !== 3 || channels !== 3) {
    throw new GhostNetError('GHOSTNET_BAD_SHAPE', 'The image tensor has the wrong shape', {
      found: `[${shape.join(',')}]`,
      expected: '[H,W,3], RGB',
      remedy: 'Pass one tensor per image; a batch of inputs goes to forward().',
    });
  }
  return pixelsSource({ data, width, height });
}

function pixelsSource({
  data,
  width,
  height,
}: {
  data: unknown;
  width: unknown;
  height: unknown;
}): ImageSource {
  const isSide = (side: unknown): side is number => Number.isSafeInteger(side) && (side as number) >= 1;
  const bytes = types.isUint8Array(data) ? memoryOf(data) : undefined;
  if (!isSide(width) || !isSide(height) || bytes?.byteLength !== width * height * 3) {
    throw new GhostNetError(
      'GHOSTNET_BAD_SHAPE',
      'The data of the raw image does not match its width and height',
      {
        found: `${bytes === undefined ? inWords(data) : `${bytes.byteLength} bytes`} for ${inWords(width)} x ${inWords(height)}`,
        expected: 'width * height * 3 bytes in a Uint8Array',
        remedy: 'Convert to RGB without alpha, for example with sharp: `.removeAlpha().raw()`.',
      },
    );
  }
  const held = new HeldBytes(bytes);
  return {
    name: `of ${width} x ${height} pixels`,
    open: () => ({ bytes: held.read(), width, height }),
  };
}
