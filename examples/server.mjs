// A server of your own: it takes an image file as the body of a POST. docs/deploying.md
import { createServer } from 'node:http';

import { GhostNet } from 'ghostnet';

const model = await GhostNet.load();
const server = createServer((request, response) => {
  model.classify(request, { topK: 3 }).then(
    (classes) => response.setHeader('content-type', 'application/json').end(JSON.stringify(classes)),
    (error) => response.writeHead(422).end(`${error.message}\n`),
  );
});
server.listen(Number(process.env.PORT ?? 8080), '0.0.0.0');
process.once('SIGTERM', () => server.close(() => model.dispose()));
