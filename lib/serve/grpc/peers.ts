import type * as Grpc from '@grpc/grpc-js';
import type * as ProtoLoader from '@grpc/proto-loader';
import type * as HealthCheck from 'grpc-health-check';

import { loadPeer } from '../../observability/peer.js';

/** The packages that gRPC needs. */
export interface Peers {
  readonly grpc: typeof Grpc;
  readonly protoLoader: typeof ProtoLoader;
  readonly healthCheck: typeof HealthCheck;
}

/** @throws {@link GhostNetError} `GHOSTNET_PEER_NOT_INSTALLED` */
export function grpcPeers(): Peers {
  const user = 'gRPC in ghostnet/serve';
  return {
    grpc: loadPeer('@grpc/grpc-js', user) as typeof Grpc,
    protoLoader: loadPeer('@grpc/proto-loader', user) as typeof ProtoLoader,
    healthCheck: loadPeer('grpc-health-check', user) as typeof HealthCheck,
  };
}
