import type { SharpOptions } from 'sharp';

import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import type { DecodeSettings } from './options.js';
import { loadSharp, type Sharp } from './sharp.js';
import { Turns } from './turns.js';

/** RGB bytes of one image, row by row. */
export interface DecodedImage {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

// sharp decodes on libuv's threads, 4 unless the variable says otherwise. Half of them stay free for files and names.
const libuvThreads = Number(process.env.UV_THREADPOOL_SIZE) || 4;
const turns = new Turns(Math.max(1, Math.floor(libuvThreads / 2)));

/**
 * Does work that needs sharp and the pixels of a whole image: for a bounded number of images at a time, because of libuv's threads and
 * of the memory.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED` if the signal fires before the turn of the work; and what the work throws
 */
export function inTurn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return turns.take(work, signal);
}

/**
 * Decodes one image with sharp to RGB bytes, in libuv's thread pool: upright (EXIF orientation applied), without alpha (dropped, as
 * PIL's `convert('RGB')` does), 8 bits per channel, the first frame of an animation. Called within {@link inTurn}.
 *
 * @param name - the image in words, for messages
 * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_IMAGE_TOO_LARGE`
 */
export async function decodeWithSharp(
  name: string,
  file: Uint8Array,
  settings: DecodeSettings,
): Promise<DecodedImage> {
  const sharp = await loadSharp();
  try {
    return await decode(sharp, file, settings);
  } catch (cause) {
    throw undecodable(name, cause, settings);
  }
}

async function decode(
  sharp: Sharp,
  file: Uint8Array,
  { colorProfile, maxPixels }: DecodeSettings,
): Promise<DecodedImage> {
  const input: SharpOptions = { failOn: 'error', limitInputPixels: maxPixels };
  let ignoreIcc = colorProfile !== 'apply';
  // The values of a CMYK image mean nothing without its profile, so the profile is always applied.
  if (ignoreIcc && canBeCmyk(file) && (await sharp(file, input).metadata()).space === 'cmyk')
    ignoreIcc = false;
  const { data, info } = await sharp(file, { ...input, ignoreIcc })
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to sRGB`);
  return { bytes: data, width: info.width, height: info.height };
}

/** Whether the bytes begin as those of a JPEG or TIFF do. */
function canBeCmyk(file: Uint8Array): boolean {
  return ['ffd8', '49492a00', '4d4d002a'].some((magic) =>
    Buffer.from(magic, 'hex').every((byte, index) => file[index] === byte),
  );
}

function undecodable(name: string, cause: unknown, { maxPixels }: DecodeSettings): GhostNetError {
  const found = messageOf(cause);
  if (/exceeds pixel limit/i.test(found)) {
    return new GhostNetError('GHOSTNET_IMAGE_TOO_LARGE', `The image ${name} has too many pixels`, {
      expected: `at most ${maxPixels}, the option maxPixels`,
      cause,
    });
  }
  return new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The image ${name} cannot be decoded`, {
    found,
    cause,
  });
}
