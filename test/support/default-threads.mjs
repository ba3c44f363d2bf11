// Prints the default number of threads of a model.
import { GhostNet } from 'ghostnet';

const model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 1 });
console.log(JSON.stringify(model.info.threads));
