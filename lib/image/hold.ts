import { invalidArgument } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import { Tensor } from '../tensor.js';
import type { HeldImage, ImageInput, RawImage } from './input.js';

/**
 * Captures an image as it is now: bytes and pixels are copied, so the caller may reuse its buffers.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`
 */
export function holdImage(image: ImageInput): HeldImage {
  if (typeof image === 'string' || image instanceof URL) return image;
  if (image instanceof Uint8Array) return Uint8Array.from(image);
  if ((image as unknown) instanceof Tensor) return pixelsOf(image as Tensor);
  if (isRawImage(image)) {
    const { data, width, height } = image;
    return { data: data instanceof Uint8Array ? Uint8Array.from(data) : data, width, height };
  }
  throw invalidArgument(
    'The image has an unsupported form',
    image,
    'a path, a file: URL, the bytes of an image file, { data, width, height } or a uint8 Tensor [H,W,3]',
  );
}

function isRawImage(image: unknown): image is RawImage {
  return (
    typeof image === 'object' && image !== null && 'data' in image && 'width' in image && 'height' in image
  );
}

function pixelsOf(tensor: Tensor): RawImage {
  const { dtype, shape, data } = tensor;
  if (tensor.disposed) {
    throw new GhostNetError('GHOSTNET_DISPOSED', 'The memory of an image tensor was released');
  }
  if (!(data instanceof Uint8Array)) {
    throw new GhostNetError('GHOSTNET_BAD_DTYPE', 'The image tensor has the wrong dtype', {
      found: dtype,
      expected: 'uint8 of shape [H,W,3]',
    });
  }
  const [height = 0, width = 0, channels] = shape;
  if (shape.length !== 3 || channels !== 3) {
    throw new GhostNetError('GHOSTNET_BAD_SHAPE', 'The image tensor has the wrong shape', {
      found: `[${shape.join(',')}]`,
      expected: '[H,W,3], RGB',
      remedy: 'Pass one tensor per image; a batch of inputs goes to forward().',
    });
  }
  return { data: Uint8Array.from(data), width, height };
}
