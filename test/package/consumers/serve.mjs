import { readFileSync } from 'node:fs';

import { GhostNet } from 'ghostnet';
import { startServer } from 'ghostnet/serve';

const model = await GhostNet.load();
const server = await startServer({ everyday: model }, { port: 0, drainDelayMs: 0 });
await server.whenReady();
const response = await fetch(`${server.url}/classify?topK=1`, {
  method: 'POST',
  body: readFileSync(process.argv[2]),
});
const { classes } = await response.json();
console.log(classes[0].label);
await server.close();
model.dispose();
