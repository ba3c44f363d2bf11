// Loads a weights file and prints resident memory, in bytes, before it and at its peak.
import { GhostNet, Tensor } from 'ghostnet';

const peak = () => process.resourceUsage().maxRSS * 1024;
// Opens LibTorch first, because its memory does not belong to the load.
Tensor.empty('uint8', [1]).dispose();
const before = peak();
const model = await GhostNet.load(process.argv[2]);
console.log(JSON.stringify({ before, peak: peak() }));
model.dispose();
