import sharp from 'sharp';

/** A grey progressive JPEG of 1024 x 1024 pixels, each further scan of which refines nothing in every block. */
export async function jpegOfScans(scans: number): Promise<Buffer> {
  const side = 1024;
  const create = { width: side, height: side, channels: 3, background: '#888' } as const;
  const file = await sharp({ create }).toColourspace('b-w').jpeg({ progressive: true }).toBuffer();
  // The second scan follows the first table or header behind the first scan.
  const first = file.indexOf('ffda', 0, 'hex');
  let end = first + 10;
  while (file[end] !== 0xff || file[end + 1] === 0) end += 1;
  // A Huffman table whose only symbol, a bit, begins a run of 2^14 blocks that end at once; then 14 bits, by how many it is longer.
  const table = Buffer.from(`ffc400141001${'00'.repeat(15)}e0`, 'hex');
  const content = Buffer.from([0, 1]);
  const parts = [file.subarray(0, end), table];
  for (let scan = 1; scan < scans; scan += 1) {
    // A coefficient begins with its highest bit, and each further scan adds the next.
    const [coefficient, step] = [1 + Math.floor((scan - 1) / 14), (scan - 1) % 14];
    const bits = step === 0 ? 13 : ((14 - step) << 4) | (13 - step);
    const header = [0xff, 0xda, 0, 8, 1, file[first + 5] ?? 1, 0, coefficient, coefficient, bits];
    parts.push(Buffer.from(header), content);
  }
  return Buffer.concat([...parts, Buffer.from([0xff, 0xd9])]);
}
