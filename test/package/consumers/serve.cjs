const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');

const { GhostNet } = require('ghostnet');
const { createHandler } = require('ghostnet/serve');

const handler = createHandler({ everyday: GhostNet.load() });
const server = createServer(handler).listen(0, '127.0.0.1', async () => {
  await handler.whenReady();
  const url = `http://127.0.0.1:${server.address().port}/classify?topK=1`;
  const response = await fetch(url, { method: 'POST', body: readFileSync(process.argv[2]) });
  const { classes } = await response.json();
  console.log(classes[0].label);
  server.close();
  server.closeAllConnections();
  await handler.close();
});
