import { GhostNetError } from '../errors.js';

/** The function that the sharp package exports. */
export type Sharp = (typeof import('sharp'))['default'];

/**
 * sharp, which decodes images. Loaded with the first image: who only runs tensors does not wait for it, and where it can
 * not be loaded the rest of the package still works.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ADDON_UNLOADABLE`
 */
export async function loadSharp(): Promise<Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw new GhostNetError(
      'GHOSTNET_ADDON_UNLOADABLE',
      'The package sharp, which decodes images, can not be loaded',
      {
        found: cause instanceof Error ? cause.message : String(cause),
        remedy:
          'Install the dependencies again on this machine, with optional ones: `npm install --include=optional sharp`.',
        cause,
      },
    );
  }
}
