import { GhostNet } from 'ghostnet';

const model = await GhostNet.load();
for (const photo of process.argv.slice(2)) {
  const [best] = await model.classify(photo, { topK: 1 });
  console.log(best.label);
}
