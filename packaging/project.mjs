import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, with a separator at its end. */
export const root = fileURLToPath(new URL('../', import.meta.url));

/** package.json of the repository. */
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The folder in which packages are laid out and packed. */
export const packages = join(root, 'build', 'packages');
