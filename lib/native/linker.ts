import { GhostNetError } from '../errors.js';
import { remedyOfReading } from '../files.js';

/** The error for a file that the system linker cannot open. */
export function linkerFault(what: string, reason: string, cause?: unknown): GhostNetError {
  const remedy = remedyOfReading(reason);
  if (remedy !== undefined) {
    return new GhostNetError('GHOSTNET_ADDON_UNLOADABLE', `${what} cannot be opened`, {
      found: reason,
      remedy,
      cause,
    });
  }
  const missing = /^(\S+): cannot open shared object file|Library not loaded: (\S+)/.exec(reason);
  const older = /version `((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found/.exec(reason);
  if (missing !== null) {
    const name = missing[1] ?? missing[2];
    return new GhostNetError('GHOSTNET_LIBRARY_MISSING', `${what} needs a library that is missing`, {
      found: `no ${name}`,
      cause,
    });
  }
  if (older !== null) {
    return new GhostNetError('GHOSTNET_SYSTEM_TOO_OLD', `${what} needs a newer system`, {
      found: reason,
      expected: `a system with ${older[1]}`,
      cause,
    });
  }
  return new GhostNetError('GHOSTNET_ADDON_UNLOADABLE', `${what} cannot be opened`, { found: reason, cause });
}
