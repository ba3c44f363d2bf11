// Loads or inspects a weights file. Prints what came of it, how long that took, the longest stop of the event loop in
// milliseconds, and the growth of memory in bytes.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { GhostNet, inspectWeights, Tensor } from 'ghostnet';

const [what, path, abortAfter] = process.argv.slice(2);
const peak = () => process.resourceUsage().maxRSS * 1024;
// Opens LibTorch first, because its time and its memory do not belong to the file.
Tensor.empty('uint8', [1]).dispose();
const signal = abortAfter === undefined ? undefined : AbortSignal.timeout(Number(abortAfter));
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
await sleep(20);
delay.reset();
const before = peak();
const start = performance.now();
let code = 'none';
try {
  if (what === 'load') (await GhostNet.load(path, { signal })).dispose();
  else await inspectWeights(path, { signal });
} catch (error) {
  code = error.code ?? String(error);
}
const milliseconds = performance.now() - start;
await sleep(20);
console.log(JSON.stringify({ code, milliseconds, stop: delay.max / 1e6, memory: peak() - before }));
