import { GhostNet } from 'ghostnet';

const model = await GhostNet.load();
const [best] = await model.classify(process.argv[2]);
console.log(best.label);
