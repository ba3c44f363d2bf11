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

/** The platforms with complete binaries, which must include all required platforms. */
function prebuiltPlatforms(prebuilds, required) {
  const complete = (platform) => binaries.every((name) => existsSync(join(prebuilds, platform, name)));
  const missing = required.filter((name) => !complete(name));
  if (missing.length > 0)
    throw new Error(`No binaries for ${missing.join(', ')}: run \`npm run prebuild\` there`);
  return readdirSync(prebuilds).filter((name) => platforms[name] !== undefined && complete(name));
}

/**
 * Lays out and packs the package.
 *
 * @param {string} [version]
 * @param {{ only?: string[], prebuilds?: string, into?: string }} [places] - only: the platforms of a package for tests; by default
 * all that have binaries, which must include the published ones. prebuilds: where the binaries are. into: where the tarball goes.
 * @returns the path of the tarball
 */
export function packGhostnet(
  version = manifest.version,
  { only, prebuilds = join(root, 'prebuilds'), into = packages } = {},
) {
  const published = Object.keys(platforms).filter((name) => platforms[name].published);
  const prebuilt = prebuiltPlatforms(prebuilds, only ?? published);
  const included = only ?? prebuilt;
  const folder = join(into, 'ghostnet');
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
      cpSync(join(prebuilds, platform, name), join(folder, 'prebuilds', platform, name));
    }
    // Only if it was built: not every machine that makes packages has nvcc.
    const forGpus = join(prebuilds, platform, gpuLibrary);
    if (existsSync(forGpus)) cpSync(forGpus, join(folder, 'prebuilds', platform, gpuLibrary));
  }
  const fields = Object.fromEntries(Object.entries(manifest).filter(([field]) => !ofClone.includes(field)));
  fields.version = version;
  fields.optionalDependencies = Object.fromEntries(
    included.map((platform) => [`@ghostnet/libtorch-${platform}`, manifest.libtorch.version]),
  );
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(fields, null, 2)}\n`);
  const tarball = npm.pack(folder, into);
  console.log(
    `${basename(tarball)}: ${(statSync(tarball).size / 1e6).toFixed(2)} MB packed, for ${included.join(', ')}`,
  );
  return tarball;
}

if (process.argv[1] === import.meta.filename) packGhostnet(process.argv[2]);
