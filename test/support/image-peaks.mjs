// Classifies what promises many pixels in few bytes, and prints for each the code and by how much the process grew, in MB.
import { readFileSync } from 'node:fs';

import { GhostNet, Tensor } from 'ghostnet';
import sharp from 'sharp';

const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;

/** A sound image of 64 x 64 pixels whose header says something else. */
async function changed(format, change) {
  const image = sharp({ create: { width: 64, height: 64, channels: 3, background: '#123' } });
  const bytes = await image.toFormat(format).toBuffer();
  change(bytes);
  return bytes;
}

const cases = {
  PNG: await changed('png', (bytes) => {
    bytes.writeUInt32BE(50_000, 16);
    bytes.writeUInt32BE(50_000, 20);
    bytes.writeUInt32BE(0xc4cdaa9d, 29); // the checksum of this header
  }),
  GIF: await changed('gif', (bytes) => {
    const frame = bytes.indexOf('\x2c\0\0\0\0', 0, 'latin1') + 5;
    for (const start of [6, frame]) bytes.fill(0xff, start, start + 4);
  }),
  WebP: await changed('webp', (bytes) => {
    const start = bytes.indexOf('\x9d\x01\x2a', 0, 'latin1') + 3;
    bytes.writeUInt16LE(16_383, start);
    bytes.writeUInt16LE(16_383, start + 2);
  }),
  AVIF: await changed('avif', (bytes) => {
    const start = bytes.indexOf('ispe') + 8;
    bytes.writeUInt32BE(30_000, start);
    bytes.writeUInt32BE(30_000, start + 4);
  }),
  TIFF: await changed('tiff', (bytes) => {
    const directory = bytes.readUInt32LE(4);
    for (let at = directory + 2; at < directory + 2 + bytes.readUInt16LE(directory) * 12; at += 12) {
      const isSide = bytes.readUInt16LE(at) === 256 || bytes.readUInt16LE(at) === 257;
      if (isSide) bytes.writeUInt32LE(60_000, at + 8);
    }
  }),
  'JPEG, by sharp': await changed('jpeg', (bytes) => {
    const start = bytes.indexOf(Buffer.from('ffc0', 'hex')) + 5;
    bytes.writeUInt16BE(65_500, start);
    bytes.writeUInt16BE(65_500, start + 2);
  }),
  // Its container says 64 x 64, its content 8192 x 8192.
  'AVIF that says less': readFileSync(new URL('../fixtures/images/false-size.avif', import.meta.url)),
};

const model = await GhostNet.load();
const pipeline = model.pipeline({ decoder: 'sharp', topK: 1 });
await pipeline.run(await changed('png', () => undefined)); // what is there in any case
const raw = { data: new Uint8Array(3 * 60_000_000), width: 10_000, height: 6_000 };
cases.pixels = raw;
cases.tensor = Tensor.from(raw.data, [raw.height, raw.width, 3]);
const results = {};
for (const [name, image] of Object.entries(cases)) {
  const before = peak();
  const code = await pipeline.run(image).then(
    () => 'classified',
    (error) => error.code,
  );
  results[name] = { code, grewBy: Math.round(peak() - before) };
}
console.log(JSON.stringify(results));
