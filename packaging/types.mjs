// Marks the types as CommonJS. Both entry points of the package use them, and TypeScript lets ES modules import CommonJS, but not
// the other way round.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = resolve(process.argv[2] ?? 'dist');
writeFileSync(join(folder, 'types', 'package.json'), '{ "type": "commonjs" }\n');
