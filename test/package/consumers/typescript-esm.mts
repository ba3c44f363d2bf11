import { GhostNet, type ClassScore } from 'ghostnet';

const model: GhostNet = await GhostNet.load();
const [best]: ClassScore[] = await model.classify(process.argv[2] ?? '');
console.log(best?.label);
