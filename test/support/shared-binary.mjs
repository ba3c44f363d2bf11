// Loads the package and a copy of its JavaScript over the same native binary, like bundlers and test runners, and lets both
// compute at the same time. The argument is an empty folder.
import { cpSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = process.argv[2];
for (const name of ['dist', 'package.json'])
  cpSync(join(root, name), join(folder, name), { recursive: true });
for (const name of ['node_modules', 'models']) symlinkSync(join(root, name), join(folder, name));
process.env.GHOSTNET_BINARY ||= join(root, 'build', 'Release', 'ghostnet.node');

const first = await import('ghostnet');
const second = await import(pathToFileURL(join(folder, 'dist', 'index.mjs')).href);
if (first.GhostNet === second.GhostNet) throw new Error('The copy is none');

const copies = [first, second];
const results = await Promise.all(
  copies.map(async ({ GhostNet, Tensor }) => {
    const model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 3, seed: 1, threads: 1 });
    const input = Tensor.empty('uint8', [1, 64, 64, 3]);
    const runs = Array.from({ length: 20 }, () => model.forward(input));
    return (await Promise.all(runs)).map(({ data }) => data.join());
  }),
);
const errors = await Promise.all(
  copies.map(async ({ GhostNet, Tensor }) => {
    const model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 3 });
    return model.forward(Tensor.empty('uint8', [1, 8, 8, 3])).catch((error) => error);
  }),
);
console.log(
  JSON.stringify({
    equal: new Set(results.flat()).size === 1,
    own: errors.map((error, index) => error instanceof copies[index].GhostNetError),
    codes: errors.map(({ code }) => code),
  }),
);
