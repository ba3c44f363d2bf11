// Builds the GPU library and puts it, as it is published, into prebuilds/<platform>-<arch>/, beside the binaries of
// `npm run prebuild`. Prints its system requirements and fails if they exceed the limits in package.json under "floor" and
// "cuda". Because of its name, npm runs it before `npm run build:cuda`.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { buildCuda } from './build-cuda.mjs';
import { manifest, root } from './project.mjs';
import { within } from './report.mjs';

const { folder: built, strip } = buildCuda();
const name = 'ghostnet_cuda.so';
const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
mkdirSync(folder, { recursive: true });
copyFileSync(join(built, name), join(folder, name));
const { status } = spawnSync(strip, ['--strip-unneeded', join(folder, name)], { stdio: 'inherit' });
if (status !== 0) throw new Error(`${strip} ended with ${status}`);
if (!within(folder, [name], { ...manifest.floor, ...manifest.cuda.floor })) {
  rmSync(join(folder, name));
  process.exit(1);
}
