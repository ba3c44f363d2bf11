import { checkChoice, checkFlag, checkNumber, longestTimer, type KeysOf } from '../check/option.js';

/** How encoded images are decoded. */
export interface DecodeOptions {
  /**
   * Treatment of an embedded colour profile. `'ignore'`, the default, uses the stored values unchanged, as PIL does, which
   * read the training images of the published weights. `'apply'` converts to sRGB first.
   */
  readonly colorProfile?: 'ignore' | 'apply';
  /**
   * `'exact'`, the default, gives the pixels of PIL. `'fast'` decodes large JPEGs at 1/2, 1/4 or 1/8 of their size, as long as the
   * shorter side stays at least 4 times as long as after the resize: a photograph of 12 megapixels at 1/2.
   */
  readonly decode?: 'exact' | 'fast';
  /**
   * The decoder of JPEGs: `'auto'`, the default, is the package's own, except for CMYK and `colorProfile: 'apply'`. `'sharp'`
   * decodes every image with sharp, which is slower and takes the memory of a whole image.
   */
  readonly decoder?: 'auto' | 'sharp';
  /** The most bytes of an encoded image: of a file, a Blob, a stream or bytes in memory. Default 256,000,000. */
  readonly maxImageBytes?: number;
  /** The most pixels of an image, read off its header before it is decoded, and of decoded pixels. Default 50,000,000. */
  readonly maxPixels?: number;
  /**
   * The most bytes that the coefficients of all progressive JPEGs that are being decoded may take together; a file that needs more
   * than is free waits. Default 256,000,000, enough for one of 85 megapixels with halved colour.
   */
  readonly maxCoefficientBytes?: number;
  /**
   * The longest time that one image may be decoded for, in milliseconds; then `GHOSTNET_TIMEOUT`. The time in which it waits for its
   * turn does not count. Default 60,000.
   */
  readonly decodeTimeoutMs?: number;
  /**
   * Whether documents are rendered: SVG, and what else the installed sharp reads. Default false: a small document can take minutes
   * of a processor, so pass true only for documents that you trust.
   */
  readonly documents?: boolean;
}

export const decodeKeys = {
  colorProfile: true,
  decode: true,
  decoder: true,
  maxImageBytes: true,
  maxPixels: true,
  maxCoefficientBytes: true,
  decodeTimeoutMs: true,
  documents: true,
} as const satisfies KeysOf<DecodeOptions>;

/** The options with their defaults. */
export type DecodeSettings = Required<DecodeOptions>;

export const defaultDecode: DecodeSettings = {
  colorProfile: 'ignore',
  decode: 'exact',
  decoder: 'auto',
  maxImageBytes: 256_000_000,
  maxPixels: 50_000_000,
  maxCoefficientBytes: 256_000_000,
  decodeTimeoutMs: 60_000,
  documents: false,
};

/** The options of a call over those of its model. @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function decodeSettings(options: DecodeOptions, defaults = defaultDecode): DecodeSettings {
  checkChoice('colorProfile', options.colorProfile, ['ignore', 'apply']);
  checkChoice('decode', options.decode, ['exact', 'fast']);
  checkChoice('decoder', options.decoder, ['auto', 'sharp']);
  checkNumber('maxImageBytes', options.maxImageBytes, 1);
  checkNumber('maxPixels', options.maxPixels, 1);
  checkNumber('maxCoefficientBytes', options.maxCoefficientBytes, 0);
  checkNumber('decodeTimeoutMs', options.decodeTimeoutMs, 1, longestTimer, 'a number');
  checkFlag('documents', options.documents);
  return {
    colorProfile: options.colorProfile ?? defaults.colorProfile,
    decode: options.decode ?? defaults.decode,
    decoder: options.decoder ?? defaults.decoder,
    maxImageBytes: options.maxImageBytes ?? defaults.maxImageBytes,
    maxPixels: options.maxPixels ?? defaults.maxPixels,
    maxCoefficientBytes: options.maxCoefficientBytes ?? defaults.maxCoefficientBytes,
    decodeTimeoutMs: options.decodeTimeoutMs ?? defaults.decodeTimeoutMs,
    documents: options.documents ?? defaults.documents,
  };
}
