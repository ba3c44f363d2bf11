// Loads a weights file: how much resident memory, in bytes, was there before and at the peak.
import { GhostNet, Tensor } from 'ghostnet';

const peak = () => process.resourceUsage().maxRSS * 1024;
// Opens LibTorch, whose memory is not the load's.
Tensor.empty('uint8', [1]).dispose();
const before = peak();
const model = await GhostNet.load(process.argv[2]);
console.log(JSON.stringify({ before, peak: peak() }));
model.dispose();
