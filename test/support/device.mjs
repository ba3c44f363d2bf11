// Loads a small network on each of the given devices, "cuda" or with a precision "cuda float16", and prints the result as JSON:
// the device, the difference of its logits from the CPU's, errors, warnings.
import { GhostNet, GhostNetError, Tensor } from '../../dist/index.mjs';

const warnings = [];
process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }));

const stages = [[[3, 16, 16, 0.25, 1]], [[5, 24, 12, 0, 2]]];
const input = Tensor.from(
  Uint8Array.from({ length: 2 * 32 * 40 * 3 }, (_, index) => (index * 7919) % 256),
  [2, 32, 40, 3],
);
async function logitsOn(placement) {
  const [device, precision] = placement.split(' ');
  const model = await GhostNet.create({ stages, numClasses: 10, seed: 1, device, precision });
  // Two runs in flight at the same time.
  const [logits] = await Promise.all([model.forward(input), model.forward(input)]);
  const result = { device: model.info.device, logits: [...logits.data] };
  model.dispose();
  return result;
}

const { logits: expected } = await logitsOn('cpu');
const largest = Math.max(...expected.map(Math.abs));
const outcomes = [];
for (const device of process.argv.slice(2)) {
  try {
    const { device: on, logits } = await logitsOn(device);
    const error = Math.max(...logits.map((value, index) => Math.abs(value - expected[index]))) / largest;
    outcomes.push({ on, error });
  } catch (error) {
    if (!(error instanceof GhostNetError)) throw error;
    outcomes.push({ code: error.code, found: error.found ?? '', expected: error.expected ?? '' });
  }
}
await new Promise(setImmediate); // warnings are emitted a tick later
process.stdout.write(JSON.stringify({ outcomes, warnings }));
