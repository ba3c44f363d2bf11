import type { Server } from '@grpc/grpc-js';

import { invalidArgument } from '../../check/option.js';
import { partsOf, type Handler } from '../handler.js';
import { loadDefinition } from './definition.js';
import { Health } from './health.js';
import { methodsOf } from './methods.js';
import { grpcPeers } from './peers.js';

/** Adds the services to a server. @returns the health of the server, whose watches end with it */
export function addServices(server: Server, handler: Handler): Health {
  const parts = partsOf(handler);
  if (typeof (server as Partial<Server> | null | undefined)?.addService !== 'function')
    throw invalidArgument('The argument server is none', server, 'a Server of @grpc/grpc-js');
  const peers = grpcPeers();
  const definition = loadDefinition(peers);
  server.addService(definition.service, methodsOf(parts, peers, definition));
  const health = new Health(parts.models, peers);
  health.addTo(server);
  return health;
}
