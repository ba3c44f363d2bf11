import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../../../shared/', import.meta.url);

/** Whether the folder ../shared exists; it contains data that is too large for the repository. */
export const hasShared = existsSync(folder);

/** A suffix for the names of tests that need it, so that a list of skipped tests says why. */
export const needsShared = hasShared ? '' : ' (skipped: needs ../shared)';

/** A file in ../shared. */
export const sharedFile = (path: string): string => fileURLToPath(new URL(path, folder));
