import type { SharpOptions } from 'sharp';

import { GhostNetError } from '../errors.js';
import { readBytes } from '../files.js';
import type { Tensor } from '../tensor.js';
import { loadSharp, type Sharp } from './sharp.js';

/** Pixels that are decoded already. */
export interface RawImage {
  /** RGB, row by row, 3 bytes a pixel: `width * height * 3` of them. */
  readonly data: Uint8Array;
  /** In pixels, 1 or more. */
  readonly width: number;
  /** In pixels, 1 or more. */
  readonly height: number;
}

/**
 * A photograph: the path or `file:` URL of an image file, the bytes of one (JPEG, PNG, WebP, AVIF, GIF, TIFF, SVG), or
 * pixels that are decoded already.
 */
export type ImageInput = string | URL | Uint8Array | RawImage | Tensor<'uint8'>;

/** How encoded images are decoded. */
export interface DecodeOptions {
  /**
   * What becomes of an embedded colour profile. `'ignore'`, the default, takes the stored numbers as they are, as PIL does
   * and therefore as the training data of published weights were read; `'apply'` converts to sRGB first.
   */
  readonly colorProfile?: 'ignore' | 'apply';
}

/** RGB bytes of one image, [height,width,3]. */
export interface DecodedImage {
  readonly dtype: 'uint8';
  readonly shape: readonly [height: number, width: number, channels: 3];
  readonly data: Uint8Array;
}

const maxPixels = 0x3fff * 0x3fff;

/**
 * Decodes one image to RGB bytes, upright (EXIF orientation applied), without alpha (dropped, as PIL's `convert('RGB')`
 * does), 8 bits a channel; of an animation the first frame. Runs on libuv's pool, never on the calling thread.
 *
 * @param source - name for messages
 * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`,
 * `GHOSTNET_BAD_SHAPE`
 */
export async function decodeImage(
  image: Exclude<ImageInput, Tensor>,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  if (typeof image === 'object' && 'width' in image) return checkRaw(image);
  const bytes = image instanceof Uint8Array ? image : await readBytes(image);
  const source = image instanceof Uint8Array ? `${image.byteLength} bytes` : String(image);
  const sharp = await loadSharp();
  try {
    return await decode(sharp, bytes, options);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The image ${source} can not be decoded`, {
      found: reason,
      cause,
    });
  }
}

async function decode(sharp: Sharp, bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage> {
  const input: SharpOptions = { failOn: 'error', limitInputPixels: maxPixels };
  // Without its profile the numbers of a CMYK image mean nothing: that one is always applied.
  const { space } = await sharp(bytes, input).metadata();
  const ignoreIcc = options.colorProfile !== 'apply' && space !== 'cmyk';
  const { data, info } = await sharp(bytes, { ...input, ignoreIcc })
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to sRGB`);
  return { dtype: 'uint8', shape: [info.height, info.width, 3], data };
}

function checkRaw({ data, width, height }: RawImage): DecodedImage {
  const sides = Number.isSafeInteger(width) && Number.isSafeInteger(height) && width >= 1 && height >= 1;
  if (!sides || !(data instanceof Uint8Array) || data.byteLength !== width * height * 3) {
    throw new GhostNetError('GHOSTNET_BAD_SHAPE', 'A raw image is not RGB bytes of its width and height', {
      found: `${data instanceof Uint8Array ? data.byteLength : typeof data} bytes for ${width} x ${height}`,
      expected: 'width * height * 3 bytes in a Uint8Array',
      remedy: 'Convert to RGB without alpha, for example with sharp: `.removeAlpha().raw()`.',
    });
  }
  return { dtype: 'uint8', shape: [height, width, 3], data };
}
