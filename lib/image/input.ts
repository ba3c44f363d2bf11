import type { Readable } from 'node:stream';

import type { Tensor } from '../tensor.js';

/** Decoded pixels. */
export interface RawImage {
  /** RGB, row by row, 3 bytes per pixel: `width * height * 3` bytes. */
  readonly data: Uint8Array;
  /** In pixels, at least 1. */
  readonly width: number;
  /** In pixels, at least 1. */
  readonly height: number;
}

/** A web `ReadableStream` of bytes, as Node or a DOM library declares it. */
export interface WebStream {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): unknown;
}

/**
 * An image: the path or `file:` URL of an image file, its content (JPEG, PNG, WebP, AVIF, GIF, TIFF) as bytes, a Blob, a File
 * or a readable stream, or decoded pixels, as a {@link RawImage} or a uint8 Tensor [H,W,3], RGB.
 *
 * A path, a Blob or a stream is opened when its turn comes; a stream that is given to a call belongs to it, and is destroyed if it
 * is not read to its end. Bytes and pixels are read then, too, so do not change them before the
 * promise of the call settles.
 */
export type ImageInput =
  string | URL | Uint8Array | ArrayBufferLike | Blob | Readable | WebStream | RawImage | Tensor<'uint8'>;
