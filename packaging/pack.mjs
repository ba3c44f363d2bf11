// Packs ghostnet with the binaries that `npm run prebuild` has put into prebuilds/: node packaging/pack.mjs [<version>]
// Writes build/packages/ghostnet-<version>.tgz.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

import { npm } from './npm.mjs';
import { manifest, packages, root } from './project.mjs';

const platforms = JSON.parse(readFileSync(new URL('platforms.json', import.meta.url), 'utf8'));
const binaries = ['ghostnet.node', 'ghostnet_loader.node'];
const gpuLibrary = 'ghostnet_cuda.so';

// Fields for the development of the package, not for its users.
const ofClone = ['scripts', 'devDependencies', 'overrides', 'binary'];

function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
}

/** The platforms with complete binaries, which must include all published platforms. */
function prebuiltPlatforms() {
  const complete = (platform) =>
    binaries.every((name) => existsSync(join(root, 'prebuilds', platform, name)));
  const missing = Object.keys(platforms).filter((name) => platforms[name].published && !complete(name));
  if (missing.length > 0)
    throw new Error(`No binaries for ${missing.join(', ')}: run \`npm run prebuild\` there`);
  return readdirSync(join(root, 'prebuilds')).filter(
    (name) => platforms[name] !== undefined && complete(name),
  );
}

/** Lays out and packs the package. @returns the path of the tarball */
export function packGhostnet(version = manifest.version) {
  const included = prebuiltPlatforms();
  const folder = join(packages, 'ghostnet');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const dist = join(folder, 'dist');
  run([
    join('node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    'tsconfig.json',
    '--outDir',
    dist,
    '--declarationDir',
    join(dist, 'types'),
  ]);
  run([join('packaging', 'finish.mjs'), dist]);
  cpSync(join(root, 'models'), join(folder, 'models'), { recursive: true });
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE', 'NOTICE']) {
    cpSync(join(root, name), join(folder, name));
  }
  for (const platform of included) {
    for (const name of binaries) {
      cpSync(join(root, 'prebuilds', platform, name), join(folder, 'prebuilds', platform, name));
    }
    // Only if it was built: not every machine that makes packages has nvcc.
    const forGpus = join(root, 'prebuilds', platform, gpuLibrary);
    if (existsSync(forGpus)) cpSync(forGpus, join(folder, 'prebuilds', platform, gpuLibrary));
  }
  const published = Object.fromEntries(
    Object.entries(manifest).filter(([field]) => !ofClone.includes(field)),
  );
  published.version = version;
  published.optionalDependencies = Object.fromEntries(
    included.map((platform) => [`@ghostnet/libtorch-${platform}`, manifest.libtorch.version]),
  );
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  const tarball = npm.pack(folder, packages);
  console.log(
    `${basename(tarball)}: ${(statSync(tarball).size / 1e6).toFixed(2)} MB packed, for ${included.join(', ')}`,
  );
  return tarball;
}

if (process.argv[1] === import.meta.filename) packGhostnet(process.argv[2]);
