// Completes what tsc has written to dist/, or to another folder: node packaging/finish.mjs [<folder>]
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { root } from './project.mjs';

const folder = resolve(process.argv[2] ?? 'dist');

// Read at run time, and by those who make clients of it.
const protocol = join('serve', 'grpc', 'inference.proto');
copyFileSync(join(root, 'lib', protocol), join(folder, protocol));
