// Builds the prebuilt binaries of this platform into prebuilds/<platform>-<arch>/ and prints their system requirements. Fails if
// they exceed the limits in package.json under "floor". Uses the build tree of `npm run compile`. Because of its name, npm also
// runs it before `npm run build`; `npm run compile` accepts any LibTorch that a source build supports.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cacheOf, configure } from '../cmake/configure.mjs';
import { manifest, root } from './project.mjs';
import { within } from './report.mjs';

const binaries = ['ghostnet.node', 'ghostnet_loader.node'];
const build = join(root, 'build');
const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? status}`);
}

configure();
const cache = cacheOf(build);
const { version } = JSON.parse(readFileSync(join(build, 'Release', 'libtorch.json'), 'utf8'));
const wrong = [
  cache.CMAKE_BUILD_TYPE !== 'Release' && `a build of type ${cache.CMAKE_BUILD_TYPE}`,
  cache.GHOSTNET_SANITIZE !== '' && `sanitizers (${cache.GHOSTNET_SANITIZE})`,
  /-march|-mcpu/.test(`${cache.CMAKE_CXX_FLAGS} ${cache.CMAKE_C_FLAGS}`) && 'flags for one kind of processor',
  version !== manifest.libtorch.version && `LibTorch ${version} instead of ${manifest.libtorch.version}`,
].filter(Boolean);
if (wrong.length > 0) throw new Error(`The build tree cannot be published: it has ${wrong.join(', ')}`);

run(cache.CMAKE_COMMAND, [
  '--build',
  build,
  '--config',
  'Release',
  '--target',
  'ghostnet',
  'ghostnet_loader',
]);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const name of binaries) {
  copyFileSync(join(build, 'Release', name), join(folder, name));
  if (process.platform !== 'win32') {
    run(cache.CMAKE_STRIP, [process.platform === 'darwin' ? '-x' : '--strip-unneeded', join(folder, name)]);
  }
}

if (!within(folder, binaries, manifest.floor)) {
  rmSync(folder, { recursive: true });
  process.exit(1);
}
