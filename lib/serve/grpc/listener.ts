import type { Server } from '@grpc/grpc-js';

import { addressUnusable } from '../faults.js';
import { partsOf, type Handler } from '../handler.js';
import type { Listener } from '../listener.js';
import type { ServerSettings } from '../options.js';
import { arrivalWithin } from './arrival.js';
import { grpcPeers, type Peers } from './peers.js';
import { addServices } from './services.js';

/** The most calls of a connection at a time; a client with more of them waits. */
const mostCalls = 128;

/**
 * Starts a gRPC server for the models of a handler.
 *
 * @param host - an address, not a name
 * @throws {@link GhostNetError} `GHOSTNET_ADDRESS_UNUSABLE`, `GHOSTNET_PEER_NOT_INSTALLED`
 */
export async function listenGrpc(
  handler: Handler,
  host: string,
  port: number,
  { idleTimeoutMs, requestTimeoutMs }: ServerSettings,
): Promise<Listener> {
  const peers = grpcPeers();
  const server = new peers.grpc.Server({
    'grpc.max_receive_message_length': partsOf(handler).settings.maxBodyBytes,
    'grpc.max_concurrent_streams': mostCalls,
    'grpc.max_connection_idle_ms': idleTimeoutMs,
    // Clients that are gone without a word.
    'grpc.keepalive_time_ms': idleTimeoutMs,
    interceptors: [arrivalWithin(requestTimeoutMs, peers)],
  });
  const health = addServices(server, handler);
  const bound = await bind(peers, server, host, port);
  return {
    port: bound,
    stop: () => {
      health.endWatches();
      return new Promise((resolve) => {
        server.tryShutdown(() => {
          resolve();
        });
      });
    },
    cut: () => {
      server.forceShutdown();
    },
  };
}

function bind({ grpc }: Peers, server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (cause, bound) => {
      if (cause === null) resolve(bound);
      else reject(addressUnusable(host, port, cause));
    });
  });
}
