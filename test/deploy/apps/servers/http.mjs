// node:http: the request is a stream, which classify() reads.
import { createServer } from 'node:http';
import { GhostNet } from 'ghostnet';

const model = await GhostNet.load();
createServer((request, response) => {
  model.classify(request, { topK: 1 }).then(
    (classes) => response.end(JSON.stringify(classes)),
    (error) => response.writeHead(422).end(error.message),
  );
}).listen(Number(process.env.PORT), '127.0.0.1');
