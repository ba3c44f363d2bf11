// Prints what the embedded model computes for photos, with both backends, as a line of JSON: node scores.mjs <photo>...
// It imports the package from the working folder, which may be an installation of it.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'anywhere.js'));
const { GhostNet } = require('ghostnet');

const results = {};
for (const backend of ['fused', 'reference']) {
  const model = await GhostNet.load(undefined, { backend });
  results[backend] = [];
  for (const photo of process.argv.slice(2)) {
    const input = await model.preprocess(photo);
    const logits = await model.forward(input);
    const classes = await model.classify(photo, { topK: 10 });
    results[backend].push({ logits: [...logits.data], classes });
  }
  model.dispose();
}
console.log(JSON.stringify({ arch: process.arch, ...results }));
