import { isRangeError } from '../check/kinds.js';

/** The most derivations on the way to one image, as of a grid whose tiles are grids. */
const deepest = 4;

/** Some bytes of a file, as boxes of the ISO media format. */
interface Box {
  readonly type: string;
  readonly content: DataView;
}

/**
 * The most pixels that have to be decoded for an image of an AVIF or HEIC file. A grid says how large it is, and its tiles say so,
 * too: a file of a kilobyte can refer 256 times to one tile of 50 megapixels.
 *
 * @throws RangeError for a box that ends behind the one that holds it
 */
export function pixelsToDecode(file: Uint8Array): number {
  return Math.max(0, ...metaBoxesOf(file).map((meta) => workOfAll(part(meta, 4))));
}

/** The boxes `meta` of a file, as far as it can be read. */
function metaBoxesOf(file: Uint8Array): DataView[] {
  const found: DataView[] = [];
  try {
    const bytes = new DataView(file.buffer, file.byteOffset, file.byteLength);
    for (const { type, content } of boxesIn(bytes)) if (type === 'meta') found.push(content);
  } catch (error) {
    // The file is cut off, or something else was written behind it.
    if (!isRangeError(error)) throw error;
  }
  return found;
}

/** The work for the derived image of a file that needs the most. */
function workOfAll(meta: DataView): number {
  const references = referencesOf(meta);
  const sizes = sizesOf(meta);
  const known = new Map<number, number>();
  const workOf = (item: number, depth: number): number => {
    const before = known.get(item);
    if (before !== undefined) return before;
    // An image that is a part of itself, or one without a size, which can be any.
    known.set(item, Infinity);
    const parts = references.get(item);
    let work = parts === undefined ? (sizes.get(item) ?? Infinity) : 0;
    if (depth > deepest) work = Infinity;
    else for (const each of parts ?? []) work += workOf(each, depth + 1);
    known.set(item, work);
    return work;
  };
  let most = 0;
  for (const item of references.keys()) most = Math.max(most, workOf(item, 0));
  return most;
}

/** What each derived image is made of: the items of `dimg` references. */
function referencesOf(meta: DataView): Map<number, number[]> {
  const references = new Map<number, number[]>();
  const iref = childOf(meta, 'iref');
  if (iref === undefined) return references;
  const width = iref.getUint8(0) === 0 ? 2 : 4;
  for (const { type, content } of boxesIn(part(iref, 4))) {
    if (type !== 'dimg') continue;
    const from = unsigned(content, 0, width);
    const parts = references.get(from) ?? [];
    for (let index = 0; index < content.getUint16(width); index += 1) {
      parts.push(unsigned(content, width + 2 + index * width, width));
    }
    references.set(from, parts);
  }
  return references;
}

/** The pixels of each item, by its property `ispe`. */
function sizesOf(meta: DataView): Map<number, number> {
  const sizes = new Map<number, number>();
  const iprp = childOf(meta, 'iprp');
  const ipco = iprp && childOf(iprp, 'ipco');
  if (iprp === undefined || ipco === undefined) return sizes;
  const areas = [...boxesIn(ipco)].map(({ type, content }) =>
    type === 'ispe' ? content.getUint32(4) * content.getUint32(8) : 0,
  );
  for (const { type, content } of boxesIn(iprp)) {
    if (type === 'ipma') readAssociations(content, areas, sizes);
  }
  return sizes;
}

function readAssociations(ipma: DataView, areas: readonly number[], sizes: Map<number, number>): void {
  const itemWidth = ipma.getUint8(0) === 0 ? 2 : 4;
  const indexWidth = (ipma.getUint8(3) & 1) === 0 ? 1 : 2;
  let at = 8;
  for (let entry = 0; entry < ipma.getUint32(4); entry += 1) {
    const item = unsigned(ipma, at, itemWidth);
    const count = ipma.getUint8(at + itemWidth);
    at += itemWidth + 1;
    for (let index = 0; index < count; index += 1, at += indexWidth) {
      // The highest bit says that the property is essential.
      const property = unsigned(ipma, at, indexWidth) & (indexWidth === 1 ? 0x7f : 0x7fff);
      const area = areas[property - 1] ?? 0;
      if (area > 0) sizes.set(item, Math.max(sizes.get(item) ?? 0, area));
    }
  }
}

function childOf(boxes: DataView, type: string): DataView | undefined {
  for (const box of boxesIn(boxes)) if (box.type === type) return box.content;
  return undefined;
}

/** @throws RangeError for a box that ends behind the bytes */
function* boxesIn(bytes: DataView): Generator<Box> {
  for (let at = 0; at + 8 <= bytes.byteLength;) {
    const short = bytes.getUint32(at);
    const header = short === 1 ? 16 : 8;
    const length =
      short === 1 ? Number(bytes.getBigUint64(at + 8)) : short === 0 ? bytes.byteLength - at : short;
    if (length < header) throw new RangeError('a box shorter than its header');
    const type = String.fromCharCode(...[4, 5, 6, 7].map((offset) => bytes.getUint8(at + offset)));
    yield { type, content: part(bytes, at + header, at + length) };
    at += length;
  }
}

function part(bytes: DataView, start: number, end = bytes.byteLength): DataView {
  if (start > end || end > bytes.byteLength) throw new RangeError('a box ends behind the one that holds it');
  return new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
}

function unsigned(bytes: DataView, at: number, width: number): number {
  if (width === 1) return bytes.getUint8(at);
  return width === 2 ? bytes.getUint16(at) : bytes.getUint32(at);
}
