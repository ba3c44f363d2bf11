import { GhostNetError } from '../errors.js';
import { decodeImage, type DecodeOptions, type ImageInput } from '../image/decode.js';
import type { NativeBytes, NativeTensor } from '../native.js';
import { Tensor } from '../tensor.js';

/** A photograph as native code takes it: RGB bytes, [H,W,3]. */
export type NativeImage = NativeBytes | NativeTensor;

/** Decodes a photograph. @throws {@link GhostNetError} as decodeImage, `GHOSTNET_INVALID_ARGUMENT` */
export async function toNativeImage(image: unknown, options: DecodeOptions): Promise<NativeImage> {
  if (image instanceof Tensor) return Tensor.handleOf(image as Tensor);
  if (isEncodedOrRaw(image)) return decodeImage(image, options);
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'An image is in no form that can be read', {
    found: image === null ? 'null' : typeof image,
    expected:
      'a path, a file: URL, the bytes of an image file, { data, width, height } or a uint8 Tensor [H,W,3]',
  });
}

function isEncodedOrRaw(image: unknown): image is Exclude<ImageInput, Tensor> {
  if (typeof image === 'string' || image instanceof URL || image instanceof Uint8Array) return true;
  return (
    typeof image === 'object' && image !== null && 'data' in image && 'width' in image && 'height' in image
  );
}
