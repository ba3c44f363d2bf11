import { GhostNetError } from '../errors.js';
import type { FileFormat } from './file-format.js';

// The errors of the content of an image. The name of an image is the image in words.

/** More pixels than the option maxPixels allows. */
export function tooManyPixels(
  name: string,
  { width, height }: { readonly width: number; readonly height: number },
  maxPixels: number,
): GhostNetError {
  return new GhostNetError('GHOSTNET_IMAGE_TOO_LARGE', `The image ${name} has too many pixels`, {
    found: `${width * height} pixels, ${width} x ${height}`,
    expected: `at most ${maxPixels}, the option maxPixels`,
    remedy: raise('maxPixels'),
  });
}

/** Tiles of more pixels than the option maxPixels allows. */
export function tooManyTiles(name: string, pixels: number, most: number): GhostNetError {
  return new GhostNetError('GHOSTNET_IMAGE_TOO_LARGE', `The image ${name} is made of too many tiles`, {
    found: Number.isFinite(pixels) ? `tiles of ${pixels} pixels in all` : 'tiles without a size',
    expected: `at most ${most} pixels, twice the option maxPixels`,
    remedy: raise('maxPixels'),
  });
}

/** What to do about an image that a limit refuses. @param expected - the limit in words, with its option if it has one */
export function remedyOfLimit(expected = ''): string {
  const [option] = /max[A-Z]\w+/.exec(expected) ?? [];
  if (option !== undefined) return raise(option);
  return 'Make the image smaller, or save it again as a baseline JPEG.';
}

function raise(option: string): string {
  return `Make the image smaller, or raise the option ${option}.`;
}

// What libvips, glib and V8 say.
const outOfMemory =
  /out of memory|(unable|failed|could not|couldn't) (to )?allocate|cannot allocate memory|bad_alloc|allocation failed/i;
const outOfThreads = /(create|creating|start) .*thread|resource temporarily unavailable/i;

/** A decoder gave up: because of the image, unless the machine lacks something. */
export function undecodable(name: string, found: string, cause?: unknown): GhostNetError {
  if (outOfMemory.test(found)) {
    return new GhostNetError('GHOSTNET_OUT_OF_MEMORY', `Not enough memory to decode the image ${name}`, {
      found,
      cause,
    });
  }
  if (outOfThreads.test(found)) {
    return new GhostNetError('GHOSTNET_OUT_OF_THREADS', `No thread to decode the image ${name}`, {
      found,
      cause,
    });
  }
  return new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The image ${name} cannot be decoded`, {
    found,
    cause,
  });
}

/** A document where only pictures are read. */
export function documentRefused(name: string, format: FileFormat): GhostNetError {
  return new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The image ${name} is a document`, {
    found: format.name,
    expected: pictures,
    remedy:
      'Convert it to PNG. If you trust its author, pass the option `documents: true`, or `--documents` on the command line: ' +
      'to render a small document can take minutes.',
  });
}

/** A format that is known and not read. */
export function formatNotRead(name: string, format: FileFormat): GhostNetError {
  return new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The format of the image ${name} is not read`, {
    found:
      format.kind === 'document' ? `${format.name}, which the installed sharp does not read` : format.name,
    expected: pictures,
    remedy: format.remedy,
  });
}

/** Bytes that are of no known format. @param start - the first of them */
export function formatUnknown(name: string, start: Uint8Array): GhostNetError {
  return new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The format of the image ${name} is unknown`, {
    found: `bytes that begin with ${Buffer.from(start).toString('hex')}`,
    expected: pictures,
  });
}

const pictures = 'JPEG, PNG, WebP, AVIF, GIF or TIFF';

/** The decoding lasted longer than the option decodeTimeoutMs allows. */
export function tookTooLong(name: string, milliseconds: number): GhostNetError {
  return new GhostNetError('GHOSTNET_TIMEOUT', `The image ${name} takes too long to decode`, {
    found: `more than ${milliseconds} ms, the option decodeTimeoutMs`,
    remedy: 'Make the image smaller, raise decodeTimeoutMs, or decode fewer images at a time.',
  });
}
