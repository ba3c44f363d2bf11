import type { Metadata, SharpOptions } from 'sharp';

import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import {
  documentRefused,
  formatNotRead,
  formatUnknown,
  tooManyPixels,
  tooManyTiles,
  undecodable,
} from './faults.js';
import { fileFormatOf, isReadBy, type FileFormat } from './file-format.js';
import { pixelsToDecode } from './heif-work.js';
import { checkScans } from './jpeg-scans.js';
import type { DecodeSettings } from './options.js';
import { loadSharp, type Sharp } from './sharp.js';

/** RGB bytes of one image, row by row. */
export interface DecodedImage {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes one image with sharp to RGB bytes, in libuv's thread pool: upright (EXIF orientation applied), without alpha (dropped, as
 * PIL's `convert('RGB')` does), 8 bits per channel, the first frame of an animation. What sharp gets has the first bytes of a format
 * that is read: of all others, documents above all, not even the header is parsed.
 *
 * @param name - the image in words, for messages
 * @param checkSides - throws if an image of these sides cannot be resized, so need not be decoded
 * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_IMAGE_TOO_LARGE`; and what `checkSides` throws
 */
export async function decodeWithSharp(
  name: string,
  file: Uint8Array,
  settings: DecodeSettings,
  checkSides: (height: number, width: number) => void,
): Promise<DecodedImage> {
  const sharp = loadSharp();
  const format = fileFormatOf(file);
  if (format === undefined) throw formatUnknown(name, file.subarray(0, 8));
  if (format.kind === 'document' && !settings.documents) throw documentRefused(name, format);
  if (!isReadBy(sharp.format, format)) throw formatNotRead(name, format);
  try {
    const header = await sharp(file, { limitInputPixels: false }).metadata();
    checkHeader(name, file, header, format, settings);
    checkSides(header.height, header.width);
    return await decode(sharp, file, header, settings);
  } catch (cause) {
    throw cause instanceof GhostNetError ? cause : undecodable(name, inOneLine(messageOf(cause)), cause);
  }
}

function checkHeader(
  name: string,
  file: Uint8Array,
  header: Metadata,
  format: FileFormat,
  { maxPixels }: DecodeSettings,
): void {
  if (header.format !== format.loader) {
    throw undecodable(name, `${header.format} where its first bytes say ${format.name}`);
  }
  if (header.width * header.height > maxPixels) throw tooManyPixels(name, header, maxPixels);
  if (format.loader === 'jpeg') checkScans(name, file);
  // The tiles of a grid may reach beyond the image, but not by much more than the image.
  if (format.loader !== 'heif') return;
  const pixels = pixelsToDecode(file);
  if (pixels > 2 * maxPixels) throw tooManyTiles(name, pixels, 2 * maxPixels);
}

async function decode(
  sharp: Sharp,
  file: Uint8Array,
  { space }: Metadata,
  { colorProfile, maxPixels, decodeTimeoutMs }: DecodeSettings,
): Promise<DecodedImage> {
  // The caller may have changed the bytes since the header was read, so the limit is checked again.
  const input: SharpOptions = { failOn: 'error', limitInputPixels: maxPixels };
  // The values of a CMYK image mean nothing without its profile, so the profile is always applied.
  const ignoreIcc = colorProfile !== 'apply' && space !== 'cmyk';
  const { data, info } = await sharp(file, { ...input, ignoreIcc })
    .timeout({ seconds: secondsAfter(decodeTimeoutMs) })
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to sRGB`);
  return { bytes: data, width: info.width, height: info.height };
}

/** The first whole second after a time, as far as sharp counts: it ends work that nobody waits for any longer. */
function secondsAfter(milliseconds: number): number {
  return Math.min(3600, Math.floor(milliseconds / 1000) + 1);
}

/** libvips tells what several of its parts have to say, each on a line. */
function inOneLine(message: string): string {
  return message.trim().replace(/\s*\n\s*/g, '; ');
}
