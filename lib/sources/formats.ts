import type { RawPath } from './raw-path.js';

/** The extensions of the pictures that this package reads. */
const read = new Set('jpg jpeg jpe jfif png webp avif gif tif tiff'.split(' '));

/** The extensions of pictures that are documents, and read on request. */
const documents = new Set(['svg', 'svgz']);

/** The extensions of pictures in other formats: what phones, cameras, scanners, editors and instruments write. */
const unread = new Set(
  (
    'heic heics heif heifs hif avifs jxl jp2 j2k j2c jpc jpf jpm jpx jxr wdp hdp bmp dib ico cur psd psb xcf ' +
    'tga pcx ppm pgm pbm pnm pam pfm qoi exr hdr dds icns apng mng jng jps mpo djvu dcm fits eps emf wmf bpg flif jls ' +
    '3fr ari arw bay cap cr2 cr3 crw dcr dng drf eip erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf pef raf raw ' +
    'rw2 rwl rwz sr2 srf srw x3f'
  ).split(' '),
);

/** What a name says about a file. */
export type Format = 'read' | 'unread' | 'no picture';

/** The extension of a name, in small letters with the dot; empty if there is none. */
export function extensionOf(name: RawPath): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot).toLowerCase();
}

/** Whether a file is a picture that this package reads, by its name. @param withDocuments - whether it reads documents */
export function formatOf(name: RawPath, withDocuments: boolean): Format {
  const extension = extensionOf(name).slice(1);
  if (read.has(extension)) return 'read';
  if (documents.has(extension)) return withDocuments ? 'read' : 'unread';
  return unread.has(extension) ? 'unread' : 'no picture';
}

/** Numbers of files by extension in words, most first: `2 .heic, 1 .bmp`. */
export function countsInWords(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted.map(([extension, count]) => `${count} ${extension}`).join(', ');
}
