// Makes the LibTorch package of a platform from the wheel of the pinned version:
//   node packaging/libtorch.mjs [<platform>-<arch> [<wheel>]]
// The build has already unpacked the wheel of this platform; pip fetches the others. Writes
// build/packages/ghostnet-libtorch-<platform>-<arch>-<version>.tgz.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { inLibTorch } from './components.mjs';
import { librariesFor } from './libraries.mjs';
import { npm } from './npm.mjs';
import { manifest, packages, root } from './project.mjs';

const platforms = JSON.parse(readFileSync(new URL('platforms.json', import.meta.url), 'utf8'));
const version = manifest.libtorch.version;

// The largest package size, with a margin: somewhere above it the registry rejects packages.
const mostPacked = 180e6;

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${error?.message ?? status}`);
}

/** Unpacks a wheel once. @returns the folder that contains lib/ and licenses/ */
function unpacked(platform, wheel) {
  const { wheel: tag, build } = platforms[platform];
  const ofBuild = join(root, '.libtorch', `${version}-cpu`);
  const isOwn = platform === `${process.platform}-${process.arch}`;
  if (wheel === undefined && isOwn && existsSync(join(ofBuild, 'licenses'))) return ofBuild;
  const folder = join(root, 'build', 'wheels', platform);
  const torch = join(folder, 'torch');
  if (existsSync(join(torch, 'licenses'))) return torch;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (wheel === undefined) {
    const download = [
      '-m',
      'pip',
      'download',
      '--no-deps',
      '--only-binary=:all:',
      '--python-version',
      '3.11',
    ];
    const where = ['--retries', '0', '--timeout', '3', '--extra-index-url', manifest.libtorch.index];
    const what = ['--platform', tag, '--dest', folder, `torch==${version}${build}`];
    run('python3', [...download, ...where, ...what]);
    wheel = join(folder, readdirSync(folder).find((name) => name.endsWith('.whl')) ?? '');
  }
  run('python3', ['-m', 'zipfile', '-e', wheel, folder]);
  const information = readdirSync(folder).find((name) => name.endsWith('.dist-info'));
  cpSync(join(folder, information, 'licenses'), join(torch, 'licenses'), { recursive: true });
  return torch;
}

function place(from, to) {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to); // another file system
  }
}

/** Adds the licences of libraries whose texts the wheel does not have. */
function addLicences(libraries, folder) {
  for (const { folder: name, texts } of inLibTorch(libraries, join(folder, 'licenses')).added) {
    const place = join(folder, 'licenses', 'third_party', name);
    mkdirSync(place, { recursive: true });
    for (const text of texts) copyFileSync(text, join(place, basename(text)));
  }
}

/**
 * Lays out and packs the package of a platform. This takes a minute, so a tarball that is newer than this script and the wheel
 * is reused.
 *
 * @returns the path of the tarball
 */
export function packLibTorch(platform, wheel) {
  const packed = join(packages, `ghostnet-libtorch-${platform}-${version}.tgz`);
  const sources = [
    import.meta.filename,
    fileURLToPath(new URL('libtorch.README.md', import.meta.url)),
    fileURLToPath(new URL('components.mjs', import.meta.url)),
    wheel,
  ];
  const newest = Math.max(...sources.filter(Boolean).map((path) => statSync(path).mtimeMs));
  if (existsSync(packed) && statSync(packed).mtimeMs > newest) return packed;
  const torch = unpacked(platform, wheel);
  const { os, cpu, libc } = platforms[platform];
  const prebuilt = join(root, 'prebuilds', platform, 'ghostnet.node');
  const libraries = librariesFor(os[0], join(torch, 'lib'), existsSync(prebuilt) ? prebuilt : undefined);

  const name = `libtorch-${platform}`;
  const folder = join(packages, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'lib'), { recursive: true });
  for (const library of libraries) place(join(torch, 'lib', library), join(folder, 'lib', library));
  copyFileSync(join(torch, 'version.py'), join(folder, 'version.py')); // contains the version of LibTorch
  cpSync(join(torch, 'licenses'), join(folder, 'licenses'), { recursive: true });
  copyFileSync(join(torch, 'licenses', 'LICENSE'), join(folder, 'LICENSE'));
  addLicences(
    libraries.map((library) => join(torch, 'lib', library)),
    folder,
  );
  const description = `LibTorch ${version} for ${platform}, CPU, for the package ghostnet`;
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify(
      {
        name: `@ghostnet/${name}`,
        version,
        description,
        license: 'SEE LICENSE IN LICENSE',
        os,
        cpu,
        ...(libc === undefined ? {} : { libc }),
        preferUnplugged: true, // a system linker opens no library inside an archive
        files: ['lib', 'licenses', 'version.py'],
      },
      null,
      2,
    )}\n`,
  );
  const readme = readFileSync(new URL('libtorch.README.md', import.meta.url), 'utf8');
  writeFileSync(
    join(folder, 'README.md'),
    readme
      .replaceAll('{{name}}', `@ghostnet/${name}`)
      .replaceAll('{{version}}', version)
      .replaceAll('{{libraries}}', libraries.map((library) => `- \`lib/${library}\``).join('\n')),
  );

  const tarball = npm.pack(folder, packages);
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const unpackedSize = libraries.reduce(
    (sum, library) => sum + statSync(join(folder, 'lib', library)).size,
    0,
  );
  const size = statSync(tarball).size;
  console.log(
    `${basename(tarball)}: ${megabytes(size)} packed, ${megabytes(unpackedSize)} of libraries: ${libraries.join(', ')}`,
  );
  if (size > mostPacked)
    throw new Error(`The package is larger than the ${megabytes(mostPacked)} that the registry accepts`);
  return tarball;
}

if (process.argv[1] === import.meta.filename) {
  const [platform = `${process.platform}-${process.arch}`, wheel] = process.argv.slice(2);
  if (platforms[platform] === undefined)
    throw new Error(`Expected one of ${Object.keys(platforms).join(', ')}`);
  packLibTorch(platform, wheel);
}
