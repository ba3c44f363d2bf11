import type { ImageInput } from '../image/input.js';
import { sourceOf } from '../image/source.js';
import type { Tensor } from '../tensor.js';

/** The images of a call. A wrong one is reported before any work. @throws {@link GhostNetError} as {@link sourceOf} */
export function checkedList(images: ImageInput | readonly ImageInput[]): readonly ImageInput[] {
  if (!Array.isArray(images)) {
    sourceOf(images as ImageInput);
    return [images as ImageInput];
  }
  const list: ImageInput[] = [];
  for (const image of images as readonly ImageInput[]) {
    sourceOf(image);
    list.push(image);
  }
  return list;
}

/** Whether a tensor is one image, not a batch. */
export function isPixels({ dtype, shape }: Tensor): boolean {
  return dtype === 'uint8' && shape.length === 3;
}
