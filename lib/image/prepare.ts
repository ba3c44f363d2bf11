import { GhostNetError, type ErrorCode } from '../errors.js';
import { isMadeOnReading, madeOnReading, notOrdinary, remedyOfReading } from '../files.js';
import type { NativeImage, NativeModel, NativePrepared, NativeTensor } from '../native/addon.js';
import { aborted, runJob } from '../native/jobs.js';
import { decodeWithSharp } from './decode.js';
import { exitDuring } from './exit.js';
import { remedyOfLimit, tookTooLong, tooManyPixels } from './faults.js';
import type { DecodeSettings } from './options.js';
import { untilAborted, withinTime } from './time-limit.js';
import { Turns } from './turns.js';

/** Errors of the content of an image. */
const ofContent: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'GHOSTNET_IMAGE_UNDECODABLE',
  'GHOSTNET_IMAGE_TOO_LARGE',
  'GHOSTNET_BAD_SHAPE',
]);

// sharp decodes on libuv's threads, 4 unless the variable says otherwise. Half of them stay free for files and names.
const libuvThreads = Number(process.env.UV_THREADPOOL_SIZE) || 4;
const turnsOfSharp = new Turns(Math.max(1, Math.floor(libuvThreads / 2)));
let isExitReady = false;

/** An image as the input of a network. */
export interface PreparedImage {
  /** uint8 [inputSize,inputSize,3], RGB. */
  readonly input: NativeTensor;
  /** The scale of the decoder in eighths: 8 is the full size. */
  readonly scale: number;
  /** The time of decoding and resizing in milliseconds. */
  readonly milliseconds: number;
}

/** Gives an image to native code. `'sharp'` leaves the decoding to sharp. */
type Prepare = (
  image: NativeImage,
  decoder: 'auto' | 'sharp',
  signal: AbortSignal,
) => Promise<NativePrepared>;

/**
 * Decodes, resizes and crops one image: JPEGs on a thread of the package, all other formats with sharp.
 *
 * @param name - the image in words, for messages
 * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_IMAGE_TOO_LARGE`, `GHOSTNET_FILE_NOT_FOUND`,
 * `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_BAD_SHAPE`, `GHOSTNET_TIMEOUT`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
 */
export async function prepareImage(
  model: NativeModel,
  name: string,
  image: NativeImage,
  settings: DecodeSettings,
  signal?: AbortSignal,
): Promise<PreparedImage> {
  checkPixels(name, image, settings.maxPixels);
  const prepare: Prepare = async (given, decoder, end) => {
    try {
      return await runJob({ signal: end }, (ticket) =>
        model.prepare(ticket, given, { ...settings, decoder }),
      );
    } catch (error) {
      throw (await faultOfFile(error, given)) ?? named(error, name);
    }
  };
  const limit = {
    milliseconds: settings.decodeTimeoutMs,
    error: () => tookTooLong(name, settings.decodeTimeoutMs),
  };
  const decoder = settings.colorProfile === 'apply' ? 'sharp' : settings.decoder;
  const isLeft = 'path' in image && decoder === 'sharp';
  const prepared = isLeft
    ? undefined
    : await withinTime(limit, signal, (end) => prepare(image, decoder, end));
  if (prepared?.input !== undefined) return { ...prepared, input: prepared.input };
  const endTurn = await turnsOfSharp.next(signal).catch((error: unknown) => {
    prepared?.file?.dispose();
    throw error;
  });
  if (!isExitReady) exitDuring(() => turnsOfSharp.running > 0);
  isExitReady = true;
  return withinTime(limit, signal, (end) => {
    const checkSides = (height: number, width: number): void => {
      try {
        model.checkSides(height, width);
      } catch (error) {
        throw named(error, name);
      }
    };
    const work = throughSharp(name, image, prepared?.file, settings, prepare, checkSides, end);
    return untilAborted(work.finally(endTurn), end);
  });
}

/** @param file - the content, unless it is still to be read */
async function throughSharp(
  name: string,
  image: NativeImage,
  content: NativeTensor | undefined,
  settings: DecodeSettings,
  prepare: Prepare,
  checkSides: (height: number, width: number) => void,
  end: AbortSignal,
): Promise<PreparedImage> {
  const start = performance.now();
  // A file is read only now: what waits for its turn holds no content.
  const file = 'path' in image ? (await prepare(image, 'sharp', end)).file : content;
  const bytes = file === undefined ? bytesOf(image) : new Uint8Array(file.buffer);
  const decoding =
    bytes.length === 0
      ? Promise.reject(emptyImage(name))
      : decodeWithSharp(name, bytes, settings, checkSides).finally(() => file?.dispose());
  const decoded = await decoding.catch(async (error: unknown) => {
    throw (await faultOfFile(error, image)) ?? error;
  });
  // Nobody waits any longer, and the model may have been disposed of.
  if (end.aborted) throw aborted(end.reason);
  const decodeMs = performance.now() - start;
  const { input, scale, milliseconds } = await prepare({ ...decoded, isOwn: true }, 'auto', end);
  if (input === undefined) throw new Error('pixels were left to another decoder');
  return { input, scale, milliseconds: decodeMs + milliseconds };
}

/** Checks decoded pixels, before they are copied. */
function checkPixels(name: string, image: NativeImage, maxPixels: number): void {
  if (!('bytes' in image)) return;
  const { width = 0, height = 0 } = image;
  if (width * height > maxPixels) throw tooManyPixels(name, { width, height }, maxPixels);
}

function emptyImage(name: string): GhostNetError {
  return new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The image ${name} is empty`, { found: '0 bytes' });
}

/** Errors of a file that may be none, or that the system fails to open. */
const ofFile: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'GHOSTNET_IMAGE_UNDECODABLE',
  'GHOSTNET_FILE_UNREADABLE',
  'GHOSTNET_FILE_TOO_LARGE',
]);

/** The error that tells the true cause, if it is the file's kind or a limit of the system; else undefined. */
async function faultOfFile(error: unknown, image: NativeImage): Promise<GhostNetError | undefined> {
  if (!('path' in image) || !(error instanceof GhostNetError) || !ofFile.has(error.code)) return undefined;
  const { code, what, found, expected } = error;
  const remedy = found === undefined ? undefined : remedyOfReading(found);
  if (remedy !== undefined) return new GhostNetError(code, what, { found, expected, remedy, cause: error });
  const path = typeof image.path === 'string' ? image.path : Buffer.from(image.path);
  return (await isMadeOnReading(path)) ? notOrdinary(path.toString(), madeOnReading) : undefined;
}

/** Native code knows neither the name of an image, except that of a file it cannot read, nor what to do. */
function named(error: unknown, name: string): unknown {
  if (!(error instanceof GhostNetError) || !ofContent.has(error.code)) return error;
  const { code, what, found, expected } = error;
  const remedy = code === 'GHOSTNET_IMAGE_TOO_LARGE' ? remedyOfLimit(expected) : undefined;
  return new GhostNetError(code, `${what}: the image ${name}`, { found, expected, remedy, cause: error });
}

function bytesOf(image: NativeImage): Uint8Array {
  return 'bytes' in image ? image.bytes : new Uint8Array();
}
