import type sharp = require('sharp');

import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { remedyOfReading } from '../files.js';

/** The function that the sharp package exports. */
export type Sharp = typeof sharp;

/**
 * sharp, which decodes images. It is loaded with the first image: programs that use only tensors do not wait for it, and if
 * it cannot be loaded, the rest of the package still works.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ADDON_UNLOADABLE`
 */
export function loadSharp(): Sharp {
  try {
    // Tools that trace files follow the name, and bundlers, which cannot bundle sharp, leave it alone.
    return require(require.resolve('sharp')) as Sharp;
  } catch (cause) {
    const what = 'The package sharp, which decodes images, cannot be loaded';
    throw new GhostNetError('GHOSTNET_ADDON_UNLOADABLE', what, {
      found: messageOf(cause),
      remedy:
        remedyOfReading(cause) ??
        'Install sharp again on this machine, with its optional dependencies: `npm install --include=optional sharp`.',
      cause,
    });
  }
}
