import { loadPeer } from '../observability/peer.js';

const together = ['bullmq', 'ioredis'];

/** BullMQ. @throws {@link GhostNetError} `GHOSTNET_PEER_NOT_INSTALLED` */
export function bullmq(): typeof import('bullmq') {
  return loadPeer('bullmq', 'ghostnet/queue', together) as typeof import('bullmq');
}

/** The client of Redis. @throws {@link GhostNetError} `GHOSTNET_PEER_NOT_INSTALLED`, also without BullMQ, which needs it */
export function ioredis(): typeof import('ioredis') {
  // Before anything waits for a Redis.
  bullmq();
  return loadPeer('ioredis', 'ghostnet/queue', together) as typeof import('ioredis');
}
