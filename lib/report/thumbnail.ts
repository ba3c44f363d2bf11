import { loadSharp } from '../image/sharp.js';

/** In pixels: twice what a page shows on a telephone. */
const side = 192;

/**
 * A small picture of an image file, as a `data:` URL. Call it for images that were decoded before: their formats and sizes are checked.
 *
 * @param maxPixels - a larger image has none
 * @returns undefined if there is no picture
 */
export async function thumbnailOf(path: string, maxPixels: number): Promise<string | undefined> {
  const sharp = loadSharp();
  try {
    const bytes = await sharp(path, { limitInputPixels: maxPixels })
      .autoOrient()
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 75 })
      .toBuffer();
    return `data:image/webp;base64,${bytes.toString('base64')}`;
  } catch {
    return undefined;
  }
}
