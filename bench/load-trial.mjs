import { peakMemory, residentMemory } from './machine.mjs';

// A trial of load.mjs: opens the addon, loads the named file, runs the network once, and prints the times.
const [, , weights] = process.argv;

const start = performance.now();
const { GhostNet, Tensor } = await import('../dist/index.js');
const input = Tensor.empty('float32', [1, 3, 224, 224]);
const opened = performance.now();
const addonMemory = residentMemory('self');

const begin = performance.now();
const model = await GhostNet.load(weights);
const loaded = performance.now();
await model.forward(input);
const done = performance.now();

console.log(
  JSON.stringify({
    milliseconds: {
      addon: opened - start,
      load: loaded - begin,
      first: done - loaded,
      total: done - begin,
    },
    memoryMiB: { addon: addonMemory, peak: peakMemory('self') },
  }),
);
