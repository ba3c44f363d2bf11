import type { RawImage } from 'ghostnet';
import sharp, { type Sharp } from 'sharp';

/** Smooth colours of middling saturation that differ at every pixel and in every direction. */
export function gradient(width: number, height: number): RawImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) {
      const [across, down] = [x / Math.max(1, width - 1), y / Math.max(1, height - 1)];
      data.set([70 + 90 * across + 30 * down, 160 - 80 * down, 90 + 60 * across * down], (y * width + x) * 3);
    }
  }
  return { data, width, height };
}

/** An image to encode with sharp. */
export function toSharp({ data, width, height }: RawImage, channels: 1 | 2 | 3 | 4 = 3): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

/** An image of one colour. */
export function plain(width: number, height: number, colour: readonly number[]): RawImage {
  const data = new Uint8Array(width * height * colour.length);
  for (let pixel = 0; pixel < width * height; ++pixel) data.set(colour, pixel * colour.length);
  return { data, width, height };
}
