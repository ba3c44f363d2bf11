import { createServer, type Server as HttpServer } from 'node:http';

import { GhostNet } from 'ghostnet';
import { createHandler, startServer, type Handler, type Server, type ServerOptions } from 'ghostnet/serve';

export function serve(): HttpServer {
  const handler: Handler = createHandler({ everyday: GhostNet.load() }, { maxBodyBytes: 5_000_000 });
  return createServer(handler).listen(8080);
}

export async function start(options: ServerOptions): Promise<Server> {
  const model = await GhostNet.load();
  return startServer([{ name: 'everyday', version: '2', model, pipeline: { maxQueue: 64 } }], options);
}
