// Places the part for GPUs as it is published into prebuilds/<platform>-<arch>/, beside what `npm run prebuild` made, and says what
// it asks of a system. Fails where that is more than package.json, "floor" and "cuda", allows.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { manifest, root } from './project.mjs';
import { within } from './report.mjs';

const name = 'ghostnet_cuda.so';
const build = join(root, 'build', 'cuda');
const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
const [, strip] = /^CMAKE_STRIP:\w+=(.*)$/m.exec(readFileSync(join(build, 'CMakeCache.txt'), 'utf8'));

mkdirSync(folder, { recursive: true });
copyFileSync(join(build, 'Release', name), join(folder, name));
const { status } = spawnSync(strip, ['--strip-unneeded', join(folder, name)], { stdio: 'inherit' });
if (status !== 0) throw new Error(`${strip} ended with ${status}`);
if (!within(folder, [name], { ...manifest.floor, ...manifest.cuda.floor })) {
  rmSync(join(folder, name));
  process.exit(1);
}
