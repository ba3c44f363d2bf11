// Lets the system give hardly any more memory, and prints the codes of calls that need some.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { GhostNet, Tensor } from 'ghostnet';
import sharp from 'sharp';

const [png, progressive, zeros] = process.argv.slice(2);
const model = await GhostNet.load();
const small = { data: new Uint8Array(3 * 64 * 64), width: 64, height: 64 };
const calls = {
  png: () => model.classify(png),
  progressive: () => model.classify(progressive),
  'an image file': () => model.classify(zeros),
  'a weights file': () => GhostNet.load(zeros),
  tensor: async () => Tensor.empty('float32', [64, 3, 1000, 1000]),
  forward: async () => model.forward(Tensor.empty('uint8', [256, 224, 224, 3])),
};
const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), `--as=${bytes}:unlimited`]);
const used = () => 1024 * Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);

// Everything is loaded and every thread started before the limit, but no large block is there to be used again.
const background = { width: 64, height: 64, channels: 3, background: 'red' };
await model.classify([await sharp({ create: background }).png().toBuffer(), small]);
const outcomes = {};
for (const [name, call] of Object.entries(calls)) {
  // A little is left: without any, glib ends the process.
  limit(used() + 4_000_000);
  outcomes[name] = await call().then(
    () => 'ok',
    ({ code }) => code,
  );
  limit('unlimited');
}
await model.classify([png, small, progressive]);
console.log(JSON.stringify(outcomes));
