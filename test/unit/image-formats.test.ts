import { gzipSync } from 'node:zlib';

import { GhostNet, GhostNetError, type ImageInput, type PipelineOptions } from 'ghostnet';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fileFormatOf, isReadBy } from '../../lib/image/file-format.js';
import { errorOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';

let model: GhostNet;
beforeAll(async () => {
  model = await GhostNet.create({ stages: smallStages, numClasses: 2, inputSize: 32, seed: 1 });
});
afterAll(() => {
  model.dispose();
});

const decode = (image: ImageInput, options: PipelineOptions = {}): Promise<unknown> =>
  model.pipeline(options).run(image);
const refusalOf = (bytes: Uint8Array, options?: PipelineOptions): Promise<GhostNetError> =>
  errorOf(() => decode(bytes, options));

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="9" height="9"/></svg>';

describe('a document', () => {
  const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');
  const svgs: [string, Buffer][] = [
    ['as such', Buffer.from(svg)],
    ['in capital letters', Buffer.from(svg.replace(/svg/g, 'SVG'))],
    ['after a byte order mark', Buffer.from(`\ufeff${svg}`)],
    ['after spaces and lines', Buffer.from(`\r\n\t  ${svg}`)],
    ['after a declaration', Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${svg}`)],
    ['after a comment with a root of its own', Buffer.from(`<!-- <html> -->${svg}`)],
    ['after a document type', Buffer.from(`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">\n${svg}`)],
    ['after entities', Buffer.from(`<!DOCTYPE svg [<!ENTITY a "b>c"> <!ENTITY d "e">]>${svg}`)],
    ['far from the beginning', Buffer.from(`<!--${'-x'.repeat(50_000)}-->${svg}`)],
    ['with a prefix', Buffer.from(svg.replace('<svg xmlns=', '<s:svg xmlns:s=').replace('/svg', '/s:svg'))],
    ['in UTF-16', utf16(svg)],
    ['compressed', gzipSync(svg)],
    ['compressed after a comment', gzipSync(`<!--${'x'.repeat(9000)}-->${svg}`)],
    ['cut off', Buffer.from('<svg')],
  ];
  it.each(svgs)('is refused: SVG %s', async (_, bytes) => {
    const error = await refusalOf(bytes);
    expect(error.code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
    expect(error.found).toMatch(/SVG/);
    expect(error.remedy).toMatch(/documents: true.*--documents/);
  });

  it.each([
    ['PDF', '%PDF-1.7\n'],
    ['PostScript', '%!PS-Adobe-3.0 EPSF-3.0\n'],
    ['EPS', '\xc5\xd0\xd3\xc6\x20\0\0\0'],
    ['EMF', `\x01\0\0\0${'\0'.repeat(36)} EMF`],
    ['WMF', '\xd7\xcd\xc6\x9a\0\0'],
    ['DjVu', 'AT&TFORM'],
  ])('is refused: %s', async (name, start) => {
    const bytes = Buffer.from(start, 'latin1');
    const error = await refusalOf(bytes);
    expect([error.code, error.found]).toEqual(['GHOSTNET_IMAGE_UNDECODABLE', name]);
    expect(error.remedy).toContain('documents: true');
    // The prebuilt libvips of sharp reads none of them.
    const asked = await refusalOf(bytes, { documents: true });
    expect(asked.found).toBe(`${name}, which the installed sharp does not read`);
  });

  it('is rendered with documents: true, of a pipeline or a model', async () => {
    for (const bytes of [Buffer.from(svg), gzipSync(svg)]) {
      expect(await decode(bytes, { documents: true })).toHaveLength(2);
    }
    using open = await GhostNet.create({
      stages: smallStages,
      numClasses: 2,
      inputSize: 32,
      documents: true,
    });
    expect(await open.classify(Buffer.from(svg))).toHaveLength(2);
    const error = await errorOf(() => open.pipeline({ documents: false }).run(Buffer.from(svg)));
    expect(error.found).toBe('SVG');
    expect(await errorOf(() => open.pipeline({ documents: 'yes' as never }))).toMatchObject({
      code: 'GHOSTNET_INVALID_ARGUMENT',
    });
  });

  it('has as many pixels as it says', async () => {
    const large = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"/>');
    expect((await refusalOf(large, { documents: true })).code).toBe('GHOSTNET_IMAGE_TOO_LARGE');
  });
});

/** The box at the beginning of an ISO media file. */
const ftyp = (...brands: string[]): string => {
  const [major = '', ...others] = brands;
  return `\0\0\0${String.fromCharCode(16 + others.length * 4)}ftyp${major}\0\0\0\0${others.join('')}`;
};

/** The beginning of a TIFF whose first directory has one entry. */
function tiffWith(tag: number, value: number): string {
  const bytes = Buffer.alloc(26);
  bytes.write('MM\0*\0\0\0\x08\0\x01', 'latin1');
  bytes.writeUInt16BE(tag, 10);
  bytes.writeUInt32BE(value, 18);
  return bytes.toString('latin1');
}

describe('a format that is not read', () => {
  it.each<[name: string, start: string, found: RegExp]>([
    ['HEIC', ftyp('heic', 'mif1', 'heic'), /HEIC, as iPhones write/],
    ['HEIC of the general brand', ftyp('mif1', 'mif1', 'heix'), /HEIC/],
    ['HEIF of another codec', ftyp('mif1', 'vvic'), /HEIF/],
    ['a video', ftyp('qt  '), /video/],
    ['Matroska', '\x1aE\xdf\xa3', /video/],
    ['BMP', 'BM\x3a\0\0\0\0\0\0\0\x36\0\0\0', /^BMP/],
    ['JPEG 2000', '\0\0\0\fjP  \r\n\x87\n', /JPEG 2000/],
    ['a JPEG 2000 codestream', '\xff\x4f\xff\x51\0', /JPEG 2000/],
    ['JPEG XL', '\0\0\0\fJXL \r\n\x87\n', /JPEG XL/],
    ['a JPEG XL codestream', '\xff\n', /JPEG XL/],
    ['JPEG XR', 'II\xbc\x01', /JPEG XR/],
    ['BMP', 'BM\x3a\0\0\0RSVD\x36\0\0\0\x28\0\0\0\x01\0\0\0', /^BMP/],
    ['BMP of OS/2', 'BM\x3a\0\0\0\x01\0\x02\0\x1a\0\0\0\x0c\0\0\0\x01\0\x01\0', /^BMP/],
    ['PPM', 'P6# by hand\n1 1\n255\nabc', /PPM/],
    ['PPM', 'P6\n1 1\n255\nabc', /PPM/],
    ['PFM', 'PF\n1 1\n-1\n', /PPM/],
    ['CR2', 'II*\0\x10\0\0\0CR', /CR2, a raw file of a camera/],
    ['CR3', ftyp('crx '), /CR3, a raw file of a camera/],
    ['RAF', 'FUJIFILMCCD-RAW', /raw file/],
    ['DNG', tiffWith(50_706, 1), /DNG.*raw file/],
    ['a TIFF that begins with a thumbnail', tiffWith(254, 1), /NEF.*raw file/],
    ['PSD', '8BPS\0\x01', /PSD/],
    ['ICO', '\0\0\x01\0\x01\0', /ICO/],
    ['TGA', `\0\0\x02\0${'\0'.repeat(30)}TRUEVISION-XFILE.\0`, /TGA/],
    ['OpenEXR', 'v/1\x01', /OpenEXR/],
    ['FITS', 'SIMPLE  =                    T', /FITS/],
    ['DICOM', `${'\0'.repeat(128)}DICM`, /DICOM/],
    ['MAT', 'MATLAB 5.0 MAT-file', /MATLAB/],
    ['HTML', '<!DOCTYPE html>\n<html>', /HTML/],
    ['gzip', gzipSync('text').toString('latin1'), /gzip/],
    ['ZIP', 'PK\x03\x04', /archive/],
  ])('is named: %s', async (_, start, found) => {
    for (const documents of [false, true]) {
      const error = await refusalOf(Buffer.from(start, 'latin1'), { documents });
      expect(error.code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
      expect(error.found).toMatch(found);
      expect(error.expected).toContain('AVIF');
      expect(error.remedy).toMatch(/^(Convert|Export|Pass|Decompress) /);
    }
  });

  it('is shown by its first bytes if it is unknown', async () => {
    const error = await refusalOf(Buffer.from('hello world'));
    expect(error.found).toBe('bytes that begin with 68656c6c6f20776f');
    expect((await refusalOf(Buffer.from('a'))).found).toBe('bytes that begin with 61');
  });

  it('is not taken for one that is read because of what stands further behind', async () => {
    const hidden = Buffer.from(`${'a'.repeat(30)}${svg}`);
    expect((await refusalOf(hidden, { documents: true })).found).toMatch(/^bytes/);
  });
});

describe('a build of sharp', () => {
  it('that reads more formats gets them', () => {
    const heic = fileFormatOf(Buffer.from(ftyp('heic'), 'latin1'));
    const avif = fileFormatOf(Buffer.from(ftyp('avif'), 'latin1'));
    const jpeg2000 = fileFormatOf(Buffer.from('\0\0\0\fjP  \r\n\x87\n', 'latin1'));
    if (heic === undefined || avif === undefined || jpeg2000 === undefined) throw new Error('not recognised');
    const formats = sharp.format;
    const input = { file: true, buffer: true, stream: true };
    const richer = {
      ...formats,
      heif: { ...formats.heif, input: { ...input, fileSuffix: ['.heic', '.heif', '.avif'] } },
      jp2: { ...formats.jp2, input },
    };
    for (const format of [heic, jpeg2000]) {
      expect(isReadBy(formats, format)).toBe(false);
      expect(isReadBy(richer, format)).toBe(true);
    }
    expect(isReadBy(formats, avif)).toBe(true);
  });
});
