import sharp from 'sharp';

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);
const box = (type: string, ...content: Buffer[]): Buffer => {
  const all = Buffer.concat(content);
  return Buffer.concat([u32(all.length + 8), Buffer.from(type), all]);
};
const fullBox = (type: string, version: number, ...content: Buffer[]): Buffer =>
  box(type, Buffer.from([version, 0, 0, 0]), ...content);
const sizeBox = (width: number, height: number): Buffer => fullBox('ispe', 0, u32(width), u32(height));

/**
 * An AVIF that is a grid, item 2, of one and the same tile, item 1.
 *
 * @param side - of the tile, in pixels
 * @param tiles - in a row, and rows
 * @param shown - the side of the grid, which may cut tiles off
 * @param part - the item that is repeated
 */
export async function avifGrid(side: number, tiles: number, shown: number, part = 1): Promise<Buffer> {
  const create = { width: side, height: side, channels: 3, background: '#123' } as const;
  const tile = await sharp({ create }).avif({ effort: 0 }).toBuffer();
  const boxOf = (type: string): Buffer => {
    const start = tile.indexOf(type) - 4;
    return tile.subarray(start, start + tile.readUInt32BE(start));
  };
  const content = boxOf('mdat').subarray(8);
  const grid = Buffer.concat([Buffer.from([0, 1, tiles - 1, tiles - 1]), u32(shown), u32(shown)]);
  const item = (id: number, type: string): Buffer =>
    fullBox('infe', 2, u16(id), u16(0), Buffer.from(`${type}\0`));
  const metaAt = (start: number): Buffer => {
    const place = (id: number, at: number, length: number): Buffer =>
      Buffer.concat([u16(id), u16(0), u16(1), u32(at), u32(length)]);
    return fullBox(
      'meta',
      0,
      fullBox('hdlr', 0, u32(0), Buffer.from(`pict${'\0'.repeat(13)}`)),
      fullBox('pitm', 0, u16(2)),
      fullBox(
        'iloc',
        0,
        Buffer.from([0x44, 0]),
        u16(2),
        place(1, start, content.length),
        place(2, start + content.length, grid.length),
      ),
      fullBox('iinf', 0, u16(2), item(1, 'av01'), item(2, 'grid')),
      fullBox(
        'iref',
        0,
        box('dimg', u16(2), u16(tiles * tiles), ...Array<Buffer>(tiles * tiles).fill(u16(part))),
      ),
      box(
        'iprp',
        box('ipco', sizeBox(side, side), boxOf('av1C'), boxOf('pixi'), sizeBox(shown, shown)),
        fullBox('ipma', 0, u32(2), u16(1), Buffer.from([3, 1, 0x82, 3]), u16(2), Buffer.from([2, 4, 3])),
      ),
    );
  };
  const ftyp = box('ftyp', Buffer.from('avif\0\0\0\0avifmif1miaf'));
  const meta = metaAt(ftyp.length + metaAt(0).length + 8);
  return Buffer.concat([ftyp, meta, box('mdat', content, grid)]);
}
