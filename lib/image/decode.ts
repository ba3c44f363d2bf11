import type { SharpOptions } from 'sharp';

import { inWords, messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { readBytes } from '../files.js';
import type { HeldImage, RawImage } from './input.js';
import { loadSharp, type Sharp } from './sharp.js';

/** How encoded images are decoded. */
export interface DecodeOptions {
  /**
   * Treatment of an embedded colour profile. `'ignore'`, the default, uses the stored values unchanged, as PIL does, which
   * read the training images of the published weights. `'apply'` converts to sRGB first.
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
 * Decodes one image to RGB bytes: upright (EXIF orientation applied), without alpha (dropped, as PIL's `convert('RGB')`
 * does), 8 bits per channel, the first frame of an animation. Runs in libuv's thread pool, never on the calling thread.
 *
 * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`,
 * `GHOSTNET_BAD_SHAPE`
 */
export async function decodeImage(image: HeldImage, options: DecodeOptions = {}): Promise<DecodedImage> {
  if (typeof image === 'object' && 'width' in image) return checkRaw(image);
  const bytes = image instanceof Uint8Array ? image : await readBytes(image);
  const source = image instanceof Uint8Array ? `${image.byteLength} bytes` : String(image);
  const sharp = await loadSharp();
  try {
    return await decode(sharp, bytes, options);
  } catch (cause) {
    const found = messageOf(cause);
    throw new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The image ${source} cannot be decoded`, {
      found,
      cause,
    });
  }
}

async function decode(sharp: Sharp, bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage> {
  const input: SharpOptions = { failOn: 'error', limitInputPixels: maxPixels };
  // The values of a CMYK image mean nothing without its profile, so the profile is always applied.
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
  const isBytes = data instanceof Uint8Array;
  if (!sides || !isBytes || data.byteLength !== width * height * 3) {
    const found = isBytes ? `${data.byteLength} bytes` : inWords(data);
    throw new GhostNetError(
      'GHOSTNET_BAD_SHAPE',
      'The data of the raw image does not match its width and height',
      {
        found: `${found} for ${inWords(width)} x ${inWords(height)}`,
        expected: 'width * height * 3 bytes in a Uint8Array',
        remedy: 'Convert to RGB without alpha, for example with sharp: `.removeAlpha().raw()`.',
      },
    );
  }
  return { dtype: 'uint8', shape: [height, width, 3], data };
}
