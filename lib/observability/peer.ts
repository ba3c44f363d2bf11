import { GhostNetError } from '../errors.js';

/** The optional peer dependencies. */
type Peer =
  | '@grpc/grpc-js'
  | '@grpc/proto-loader'
  | '@opentelemetry/api'
  | 'bullmq'
  | 'grpc-health-check'
  | 'ioredis'
  | 'pg'
  | 'prom-client';

/**
 * Loads an optional peer dependency at its first use, so that importing this package needs none of them.
 *
 * @param together - all that `user` needs, for the line that installs them
 * @throws {@link GhostNetError} `GHOSTNET_PEER_NOT_INSTALLED`
 */
export function loadPeer(name: Peer, user: string, together: readonly string[] = [name]): unknown {
  // Each name is written out, so that tools that trace files (Next.js, Nitro, Vercel) take those along that are installed; in a try,
  // so that bundlers do not fail for the others.
  try {
    switch (name) {
      case '@grpc/grpc-js':
        return require('@grpc/grpc-js');
      case '@grpc/proto-loader':
        return require('@grpc/proto-loader');
      case '@opentelemetry/api':
        return require('@opentelemetry/api');
      case 'bullmq':
        return require('bullmq');
      case 'grpc-health-check':
        return require('grpc-health-check');
      case 'ioredis':
        return require('ioredis');
      case 'pg':
        return require('pg');
      case 'prom-client':
        return require('prom-client');
    }
  } catch (error) {
    if (isInstalled(name)) throw error;
    throw new GhostNetError('GHOSTNET_PEER_NOT_INSTALLED', `${user} needs the package ${name}`, {
      found: 'no such package',
      remedy: `Install it: \`npm install ${together.join(' ')}\`.`,
      cause: error,
    });
  }
}

function isInstalled(name: Peer): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
