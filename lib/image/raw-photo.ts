import { isRangeError } from '../check/kinds.js';

const newSubfileType = 254;
const dngVersion = 50_706;

/**
 * Whether a TIFF is the raw file of a camera (DNG, NEF, ARW and the like): its first image is only a thumbnail, or it has DNG's
 * version.
 */
export function isRawPhoto(file: Uint8Array): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isLittle = file[0] === 0x49;
  try {
    const directory = view.getUint32(4, isLittle);
    const entries = view.getUint16(directory, isLittle);
    for (let entry = 0; entry < entries; entry += 1) {
      const at = directory + 2 + entry * 12;
      const tag = view.getUint16(at, isLittle);
      if (tag === dngVersion) return true;
      if (tag === newSubfileType) {
        const isReduced = (view.getUint32(at + 8, isLittle) & 1) === 1;
        if (isReduced) return true;
      }
    }
  } catch (error) {
    // A directory beyond the end of the file: sharp says what is wrong with it.
    if (!isRangeError(error)) throw error;
  }
  return false;
}
