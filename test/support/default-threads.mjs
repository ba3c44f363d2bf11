// Prints how many threads a model takes unless told otherwise.
import { GhostNet } from 'ghostnet';

const model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 1 });
console.log(JSON.stringify(model.info.threads));
