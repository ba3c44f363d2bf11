import { createRequire } from 'node:module';

import { GhostNetError } from '../errors.js';

const require = createRequire(import.meta.url);

/**
 * Loads an optional peer dependency at its first use, so that importing this package needs none of them.
 *
 * @param together - all that `user` needs, for the line that installs them
 * @throws {@link GhostNetError} `GHOSTNET_PEER_NOT_INSTALLED`
 */
export function loadPeer(name: string, user: string, together: readonly string[] = [name]): unknown {
  try {
    require.resolve(name);
  } catch (error) {
    throw new GhostNetError('GHOSTNET_PEER_NOT_INSTALLED', `${user} needs the package ${name}`, {
      found: 'no such package',
      remedy: `Install it: \`npm install ${together.join(' ')}\`.`,
      cause: error,
    });
  }
  return require(name);
}
