import { GhostNetError } from '../errors.js';
import { remedyOfLimit } from './faults.js';

/** As native code allows; each scan can cost the work of a whole image. */
const mostScans = 100;

/**
 * Checks that a JPEG for sharp has no more scans than one for the decoder of the package.
 *
 * @throws {@link GhostNetError} `GHOSTNET_IMAGE_TOO_LARGE`
 */
export function checkScans(name: string, file: Uint8Array): void {
  if (countScans(file) <= mostScans) return;
  throw new GhostNetError('GHOSTNET_IMAGE_TOO_LARGE', `The JPEG has too many scans: the image ${name}`, {
    found: `more than ${mostScans} scans`,
    expected: `at most ${mostScans} scans`,
    remedy: remedyOfLimit(),
  });
}

/** The scans of a JPEG, counted up to one more than are allowed. */
function countScans(file: Uint8Array): number {
  const [endOfImage, startOfScan] = [0xd9, 0xda];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let scans = 0;
  let at = 2;
  while (scans <= mostScans) {
    // Between markers is the content of a scan, or garbage that libjpeg passes over.
    at = file.indexOf(0xff, at);
    if (at === -1 || at + 4 > file.length) return scans;
    const marker = file[at + 1] ?? 0;
    if (marker === endOfImage) return scans;
    if (marker === startOfScan) scans += 1;
    if (marker === 0xff) at += 1;
    else at += isAlone(marker) ? 2 : 2 + view.getUint16(at + 2);
  }
  return scans;
}

/** Whether no segment follows a marker: a stuffed zero, TEM, a restart, the start of an image. */
function isAlone(marker: number): boolean {
  return marker <= 1 || (marker >= 0xd0 && marker <= 0xd8);
}
