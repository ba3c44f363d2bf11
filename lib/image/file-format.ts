import type { FormatEnum } from 'sharp';

import { decompressedHead, rootElementOf } from './markup.js';
import { isRawPhoto } from './raw-photo.js';

/** What the bytes of a file say that it is. */
export interface FileFormat {
  /** In words. */
  readonly name: string;
  /** A document is rendered: its work and its memory do not follow from its size. */
  readonly kind: 'picture' | 'document' | 'other';
  /** What sharp calls it, if any build of sharp reads it. */
  readonly loader?: keyof FormatEnum;
  /** Of the extensions that builds of sharp name, the one that tells whether this one reads it. */
  readonly suffix?: string;
  /** What to do if it is not read. */
  readonly remedy: string;
}

const convert = 'Convert it to JPEG or PNG, for example with ImageMagick: `magick <file> <name>.png`.';
const pictureOf = (name: string, loader: keyof FormatEnum, suffix?: string): FileFormat => {
  return { name, kind: 'picture', loader, remedy: convert, ...(suffix === undefined ? {} : { suffix }) };
};
const documentOf = (name: string, loader: keyof FormatEnum): FileFormat => {
  return { name, kind: 'document', loader, remedy: 'Convert it to PNG.' };
};
const otherOf = (name: string, remedy = convert): FileFormat => ({ name, kind: 'other', remedy });
const rawOf = (name: string): FileFormat =>
  otherOf(
    `${name}, a raw file of a camera`,
    'Export it as JPEG, or pass the JPEG that the camera wrote beside it.',
  );

const bmp = otherOf('BMP');
const tiff = pictureOf('TIFF', 'tiff');
const avif = pictureOf('AVIF', 'heif', '.avif');
const svg = documentOf('SVG', 'svg');
const heic: FileFormat = {
  ...pictureOf('HEIC, as iPhones write', 'heif', '.heic'),
  remedy: 'Convert it to JPEG, for example with `heif-convert`, or set the camera of the phone to JPEG.',
};
const video = otherOf('a video', 'Pass one of its frames as JPEG or PNG.');
const archive = otherOf('an archive or an office document', 'Pass the images in it.');

/** The first bytes of formats; `?` stands for any byte. The first that fits counts. */
const signatures: readonly (readonly [start: string, format: FileFormat])[] = [
  ['\xff\xd8\xff', pictureOf('JPEG', 'jpeg')],
  ['\x89PNG\r\n\x1a\n', pictureOf('PNG', 'png')],
  ['GIF87a', pictureOf('GIF', 'gif')],
  ['GIF89a', pictureOf('GIF', 'gif')],
  ['RIFF????WEBP', pictureOf('WebP', 'webp')],
  ['II*\0????CR', rawOf('CR2')],
  ['II*\0', tiff],
  ['MM\0*', tiff],
  ['II+\0', pictureOf('BigTIFF', 'tiff')],
  ['MM\0+', pictureOf('BigTIFF', 'tiff')],
  ['IIRO', rawOf('ORF')],
  ['IIRS', rawOf('ORF')],
  ['MMOR', rawOf('ORF')],
  ['IIU\0', rawOf('RW2')],
  ['II\x1a\0\0\0HEAPCCDR', rawOf('CRW')],
  ['FUJIFILMCCD-RAW', rawOf('RAF')],
  ['FOVb', rawOf('X3F')],
  ['\0MRM', rawOf('MRW')],
  ['II\xbc', otherOf('JPEG XR')],
  ['\0\0\0\fjP  \r\n\x87\n', pictureOf('JPEG 2000', 'jp2')],
  ['\xff\x4f\xff\x51', pictureOf('JPEG 2000', 'jp2')],
  ['\0\0\0\fJXL \r\n\x87\n', pictureOf('JPEG XL', 'jxl')],
  ['\xff\n', pictureOf('JPEG XL', 'jxl')],
  ['BM????\0\0\0\0', bmp],
  ['\0\0\x01\0', otherOf('ICO, a Windows icon')],
  ['\0\0\x02\0', otherOf('TGA or CUR')],
  ['icns', otherOf('ICNS, a macOS icon')],
  ['8BPS', otherOf('PSD, of Photoshop')],
  ['gimp xcf', otherOf('XCF, of GIMP')],
  ['v/1\x01', otherOf('OpenEXR')],
  ['#?R', pictureOf('Radiance HDR', 'rad')],
  ['DDS ', otherOf('DDS')],
  ['qoif', otherOf('QOI')],
  ['FLIF', otherOf('FLIF')],
  ['BPG\xfb', otherOf('BPG')],
  ['SIMPLE  =', otherOf('FITS')],
  ['MATLAB 5.0', otherOf('MAT, of MATLAB')],
  ['\x89HDF', otherOf('HDF5')],
  ['\x08\xf2\xa6\xb6', otherOf('VIPS')],
  ['\xb6\xa6\xf2\x08', otherOf('VIPS')],
  ['%PDF-', documentOf('PDF', 'pdf')],
  ['%!', documentOf('PostScript', 'magick')],
  ['\xc5\xd0\xd3\xc6', documentOf('EPS', 'magick')],
  ['AT&TFORM', documentOf('DjVu', 'magick')],
  ['\xd7\xcd\xc6\x9a', documentOf('WMF', 'magick')],
  ['\x01\0\0\0????????????????????????????????????\x20EMF', documentOf('EMF', 'magick')],
  ['PK\x03\x04', archive],
  ['RIFF????AVI ', video],
  ['\x1aE\xdf\xa3', video],
];

/** The brands of ISO media files; those that are left out are videos. */
const brands: readonly (readonly [brand: string, format: FileFormat])[] = [
  ['avif', avif],
  ['avis', avif],
  ...['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs'].map((brand) => [brand, heic] as const),
  ['crx ', rawOf('CR3')],
  ['mif1', otherOf('HEIF')],
  ['msf1', otherOf('HEIF')],
];

/** What a file is, by its content; undefined if it is nothing that is known. */
export function fileFormatOf(file: Uint8Array): FileFormat | undefined {
  const start = latin(file.subarray(0, 64));
  const found = signatures.find(([signature]) => fits(start, signature))?.[1];
  if (found === tiff && isRawPhoto(file)) return rawOf('DNG, NEF, ARW or another TIFF');
  if (found !== undefined) return found;
  if (start.slice(4, 8) === 'ftyp') return ofBrands(file);
  if (start.startsWith('\x1f\x8b')) return compressed(file);
  if (isBmp(start)) return bmp;
  if (/^P[1-7Ff][\s#]/.test(start)) return otherOf('PPM or another format of Netpbm');
  if (latin(file.subarray(128, 132)) === 'DICM') return otherOf('DICOM');
  if (latin(file.subarray(-18)).startsWith('TRUEVISION-XFILE')) return otherOf('TGA');
  return markup(rootElementOf(file));
}

/** Whether this build of sharp reads a format, by what it says itself. */
export function isReadBy(formats: FormatEnum, { loader, suffix }: FileFormat): boolean {
  if (loader === undefined) return false;
  const { input } = formats[loader];
  return input.buffer && (suffix === undefined || (input.fileSuffix ?? []).includes(suffix));
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function fits(start: string, signature: string): boolean {
  if (start.length < signature.length) return false;
  return Array.from(signature).every((character, at) => character === '?' || character === start[at]);
}

/** The sizes of the header that follows in a BMP: of OS/2, and of the versions of Windows. */
const bmpHeaders: ReadonlySet<string> = new Set(
  [12, 16, 40, 52, 56, 64, 108, 124].map((size) => `${String.fromCharCode(size)}\0\0\0`),
);

/** Some programs write what they like into the reserved bytes. */
function isBmp(start: string): boolean {
  return start.startsWith('BM') && bmpHeaders.has(start.slice(14, 18));
}

function ofBrands(file: Uint8Array): FileFormat {
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(0);
  // The major brand, its version, then all brands that the file is compatible with.
  const box = latin(file.subarray(8, Math.min(length, 1024)));
  const found = (box.match(/.{4}/gs) ?? []).filter((_, index) => index !== 1);
  return brands.find(([brand]) => found.includes(brand))?.[1] ?? video;
}

function compressed(file: Uint8Array): FileFormat {
  const inside = markup(rootElementOf(decompressedHead(file)));
  if (inside?.kind === 'document') return { ...inside, name: `${inside.name}, compressed` };
  return otherOf('compressed by gzip', 'Decompress it.');
}

function markup(root: string | undefined): FileFormat | undefined {
  if (root === undefined) return undefined;
  if (root === 'svg') return svg;
  if (root === 'html')
    return otherOf('HTML, a web page', 'Pass the image itself; the server may have sent an error.');
  // The root of an SVG can be too far from the beginning to be seen.
  return root === '' ? { ...svg, name: 'XML, perhaps SVG' } : otherOf('XML', 'Pass an image.');
}
