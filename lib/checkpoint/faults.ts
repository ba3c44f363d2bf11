import { GhostNetError, type ErrorDetails } from '../errors.js';

/** The name of a file in messages if the caller passed none. */
export const unnamedSource = 'The weights file';

/** The error for a file that violates its own format at an offset. */
export function malformed(
  source: string,
  offset: number,
  what: string,
  details: ErrorDetails = {},
): GhostNetError {
  return new GhostNetError('GHOSTNET_MALFORMED_FILE', `${source}: ${what} (byte ${offset})`, details);
}

/** The error for a file that is recognised but not supported. */
export function unsupported(source: string, what: string, remedy: string): GhostNetError {
  return new GhostNetError('GHOSTNET_UNSUPPORTED_FORMAT', `${source}: ${what}`, { remedy });
}
