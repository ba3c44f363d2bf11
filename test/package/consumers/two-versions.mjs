import { GhostNet } from 'ghostnet';
import { GhostNet as Other } from 'ghostnet-next';

const labels = new Set();
for (const Model of [GhostNet, Other]) {
  const model = await Model.load();
  const [best] = await model.classify(process.argv[2]);
  labels.add(best.label);
}
console.log([...labels].join(), GhostNet === Other ? 'the same version' : '');
