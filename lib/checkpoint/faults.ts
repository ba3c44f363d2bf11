import { GhostNetError, type ErrorDetails } from '../errors.js';

/** What a file is called in messages when the caller gave no name. */
export const unnamedSource = 'The weights file';

/** The error for a file that breaks the rules of its own format, at a byte of it. */
export function malformed(
  source: string,
  offset: number,
  what: string,
  details: ErrorDetails = {},
): GhostNetError {
  return new GhostNetError('GHOSTNET_MALFORMED_FILE', `${source}: ${what} (byte ${offset})`, details);
}

/** The error for a file that is recognised and not supported. */
export function unsupported(source: string, what: string, remedy: string): GhostNetError {
  return new GhostNetError('GHOSTNET_UNSUPPORTED_FORMAT', `${source}: ${what}`, { remedy });
}
