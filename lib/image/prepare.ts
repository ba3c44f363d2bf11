import { GhostNetError, type ErrorCode } from '../errors.js';
import type { NativeImage, NativeModel, NativePrepared, NativeTensor } from '../native/addon.js';
import { runJob } from '../native/jobs.js';
import { decodeWithSharp, inTurn } from './decode.js';
import type { DecodeSettings } from './options.js';

/** Errors of the content of an image. */
const ofContent: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'GHOSTNET_IMAGE_UNDECODABLE',
  'GHOSTNET_IMAGE_TOO_LARGE',
  'GHOSTNET_BAD_SHAPE',
]);

/** An image as the input of a network. */
export interface PreparedImage {
  /** uint8 [inputSize,inputSize,3], RGB. */
  readonly input: NativeTensor;
  /** The scale of the decoder in eighths: 8 is the full size. */
  readonly scale: number;
  /** The time of decoding and resizing in milliseconds. */
  readonly milliseconds: number;
}

/**
 * Decodes, resizes and crops one image: JPEGs on a thread of the package, all other formats with sharp.
 *
 * @param name - the image in words, for messages
 * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_IMAGE_TOO_LARGE`, `GHOSTNET_FILE_NOT_FOUND`,
 * `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_BAD_SHAPE`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
 */
export async function prepareImage(
  model: NativeModel,
  name: string,
  image: NativeImage,
  settings: DecodeSettings,
  signal?: AbortSignal,
): Promise<PreparedImage> {
  const prepare = async (given: NativeImage, decoder: 'auto' | 'sharp'): Promise<NativePrepared> => {
    try {
      return await runJob(signal === undefined ? {} : { signal }, (ticket) =>
        model.prepare(ticket, given, { ...settings, decoder }),
      );
    } catch (error) {
      throw named(error, name);
    }
  };
  const isFile = 'path' in image;
  const decoder = settings.colorProfile === 'apply' ? 'sharp' : settings.decoder;
  const prepared = isFile && decoder === 'sharp' ? undefined : await prepare(image, decoder);
  if (prepared?.input !== undefined) return { ...prepared, input: prepared.input };
  return inTurn(async () => {
    const start = performance.now();
    // A file is read only now: what waits for its turn holds no content.
    const { file } = isFile ? await prepare(image, 'sharp') : (prepared ?? {});
    const content = file === undefined ? bytesOf(image) : new Uint8Array(file.buffer);
    if (content.length === 0) throw emptyImage(name);
    const decoded = await decodeWithSharp(name, content, settings).finally(() => file?.dispose());
    const decodeMs = performance.now() - start;
    const { input, scale, milliseconds } = await prepare({ ...decoded, isOwn: true }, 'auto');
    if (input === undefined) throw new Error('pixels were left to another decoder');
    return { input, scale, milliseconds: decodeMs + milliseconds };
  }, signal);
}

function emptyImage(name: string): GhostNetError {
  return new GhostNetError('GHOSTNET_IMAGE_UNDECODABLE', `The image ${name} is empty`, { found: '0 bytes' });
}

/** Native code knows no name but that of a file it cannot read. */
function named(error: unknown, name: string): unknown {
  if (!(error instanceof GhostNetError) || !ofContent.has(error.code)) return error;
  const { code, what, found, expected } = error;
  return new GhostNetError(code, `${what}: the image ${name}`, { found, expected, cause: error });
}

function bytesOf(image: NativeImage): Uint8Array {
  return 'bytes' in image ? image.bytes : new Uint8Array();
}
