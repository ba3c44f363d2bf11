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
 * An image: the path or `file:` URL of an image file, its bytes (JPEG, PNG, WebP, AVIF, GIF, TIFF, SVG), or decoded pixels,
 * as a {@link RawImage} or a uint8 Tensor [H,W,3], RGB.
 */
export type ImageInput = string | URL | Uint8Array | RawImage | Tensor<'uint8'>;

/** An image that the caller can no longer change or dispose of. */
export type HeldImage = Exclude<ImageInput, Tensor>;
