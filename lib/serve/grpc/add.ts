import type { Server } from '@grpc/grpc-js';

import type { Handler } from '../handler.js';
import { addServices } from './services.js';

// Its declarations name no type of a package that may be absent.

/** A `Server` of `@grpc/grpc-js`, as far as it is needed. */
export interface GrpcServer {
  addService(service: never, implementation: never): void;
}

/**
 * Adds the services `inference.GRPCInferenceService`, for the models of a handler, and `grpc.health.v1.Health` to a server of
 * `@grpc/grpc-js`. The token and the limits of the handler hold for them, but for the size of a message: that is the option
 * `grpc.max_receive_message_length` of the server. `handler.close()` waits for their calls, too.
 *
 * @throws `GhostNetError` `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_PEER_NOT_INSTALLED`
 *
 * @example
 * ```ts
 * const server = new Server({ 'grpc.max_receive_message_length': 20_000_000 });
 * addGrpcServices(server, createHandler({ ghostnet_100: GhostNet.load('ghostnet_100') }));
 * server.bindAsync('127.0.0.1:8081', ServerCredentials.createInsecure(), () => undefined);
 * ```
 */
export function addGrpcServices(server: GrpcServer, handler: Handler): void {
  addServices(server as unknown as Server, handler);
}
