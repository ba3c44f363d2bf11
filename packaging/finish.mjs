// Completes what tsc has written to dist/, or to another folder: node packaging/finish.mjs [<folder>]
import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { root } from './project.mjs';

const folder = resolve(process.argv[2] ?? 'dist');

// Marks the types as CommonJS. Both entry points of the package use them, and TypeScript lets ES modules import CommonJS, but not
// the other way round.
writeFileSync(join(folder, 'types', 'package.json'), '{ "type": "commonjs" }\n');

// Read at run time, and by those who make clients of it.
const protocol = join('serve', 'grpc', 'inference.proto');
copyFileSync(join(root, 'lib', protocol), join(folder, protocol));
