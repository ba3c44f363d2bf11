// Lists a list of as many lines as the first argument says, and prints how many entries that gave and the memory that it took.
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { listImages } from '../../dist/sources/list-images.js';

const lines = Number(process.argv[2]);
const itself = fileURLToPath(import.meta.url);

function* chunks(count) {
  const most = 1000;
  const chunk = Buffer.from(`${itself}\n`.repeat(most));
  for (let left = count; left > 0; left -= most)
    yield left < most ? Buffer.from(`${itself}\n`.repeat(left)) : chunk;
}

async function list(count) {
  let entries = 0;
  const stream = Readable.from(chunks(count), { objectMode: false });
  for await (const { name } of listImages({ filesFrom: stream })) if (name === itself) entries += 1;
  return entries;
}

await list(20_000); // code is compiled, and the heap has its usual size
const before = process.resourceUsage().maxRSS;
const entries = await list(lines);
console.log(JSON.stringify({ entries, grownKiB: process.resourceUsage().maxRSS - before }));
