import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

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

/**
 * An image: the path or `file:` URL of an image file, its content (JPEG, PNG, WebP, AVIF, GIF, TIFF, SVG) as bytes, a Blob, a File
 * or a readable stream, or decoded pixels, as a {@link RawImage} or a uint8 Tensor [H,W,3], RGB.
 *
 * A path, a Blob or a stream is opened when its turn comes. Bytes and pixels are read then, too, so do not change them before the
 * promise of the call settles.
 */
export type ImageInput =
  | string
  | URL
  | Uint8Array
  | ArrayBufferLike
  | Blob
  | Readable
  | ReadableStream<Uint8Array>
  | RawImage
  | Tensor<'uint8'>;
