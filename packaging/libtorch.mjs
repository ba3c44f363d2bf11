// Makes the LibTorch package of a platform from the wheel of the pinned version:
//   node packaging/libtorch.mjs [<platform>-<arch> [<wheel>]]
// The build has already unpacked the wheel of this platform; pip fetches the others. Writes
// build/packages/ghostnet-libtorch-<platform>-<arch>-<version>.tgz.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
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
import { fileURLToPath } from 'node:url';

import { inLibTorch, withoutLicence } from './components.mjs';
import { readElf } from './formats/elf.mjs';
import { librariesFor } from './libraries.mjs';
import { npm } from './npm.mjs';
import { manifest, packages, root } from './project.mjs';
import { strip } from './strip.mjs';

const platforms = JSON.parse(readFileSync(new URL('platforms.json', import.meta.url), 'utf8'));
const version = manifest.libtorch.version;
const entry = fileURLToPath(new URL('libtorch.index.cjs', import.meta.url));

// The largest package size, with a margin: somewhere above it the registry rejects packages.
const mostPacked = 180e6;

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${error?.message ?? status}`);
}

/** Unpacks a wheel once. @returns the folder that contains lib/ and licenses/: `wheel` itself if it is such a folder */
function unpacked(platform, wheel) {
  if (wheel !== undefined && statSync(wheel).isDirectory()) return wheel;
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

/** Puts a library into the package. On macOS it is signed, and any change would break the signature. */
function place(from, to, { os: [system], cpu: [processor] }) {
  if (system === 'linux' && readElf(from).hasSymbolTable) strip(from, to, processor);
  else copyFileSync(from, to);
}

/** The build of LibTorch that a distribution states: "2.13.0+cpu". */
function buildOf(torch) {
  return /__version__ = '([^']+)'/.exec(readFileSync(join(torch, 'version.py'), 'utf8'))?.[1];
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
 * @param {string} platform
 * @param {string} [wheel] - its file or, unpacked, its folder; by default the pinned one
 * @param {{ into?: string, prebuilds?: string, isStandIn?: boolean }} [options] - into: where the tarball goes. prebuilds: where the
 * binaries are. isStandIn: the package is for tests, may be of another build of this version, and npm does not publish it.
 * @returns the path of the tarball
 * @throws {Error} if the wheel is of another build, which may need libraries that the package does not have
 */
export function packLibTorch(
  platform,
  wheel,
  { into = packages, prebuilds = join(root, 'prebuilds'), isStandIn = false } = {},
) {
  const packed = join(into, `ghostnet-libtorch-${platform}-${version}.tgz`);
  const sources = [
    import.meta.filename,
    fileURLToPath(new URL('libtorch.README.md', import.meta.url)),
    entry,
    fileURLToPath(new URL('components.mjs', import.meta.url)),
    fileURLToPath(new URL('strip.mjs', import.meta.url)),
    wheel,
  ];
  const newest = Math.max(...sources.filter(Boolean).map((path) => statSync(path).mtimeMs));
  if (existsSync(packed) && statSync(packed).mtimeMs > newest) return packed;
  const torch = unpacked(platform, wheel);
  const { os, cpu, libc, build } = platforms[platform];
  const expected = `${version}${build}`;
  if (!isStandIn && buildOf(torch) !== expected)
    throw new Error(`${torch} is LibTorch ${buildOf(torch)}; the package is made of ${expected}`);
  const prebuilt = join(prebuilds, platform, 'ghostnet.node');
  const libraries = librariesFor(os[0], join(torch, 'lib'), existsSync(prebuilt) ? prebuilt : undefined);
  const unknown = isStandIn ? [] : withoutLicence(libraries);
  if (unknown.length > 0)
    throw new Error(`components.mjs knows no licence of ${unknown.join(', ')}, which LibTorch needs`);

  const name = `libtorch-${platform}`;
  const folder = join(into, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'lib'), { recursive: true });
  for (const library of libraries)
    place(join(torch, 'lib', library), join(folder, 'lib', library), platforms[platform]);
  copyFileSync(join(torch, 'version.py'), join(folder, 'version.py')); // contains the version of LibTorch
  copyFileSync(entry, join(folder, 'index.js'));
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
        ...(isStandIn ? { private: true } : {}),
        os,
        cpu,
        ...(libc === undefined ? {} : { libc }),
        preferUnplugged: true, // a system linker opens no library inside an archive
        main: './index.js',
        files: ['index.js', 'lib', 'licenses', 'version.py'],
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

  const tarball = npm.pack(folder, into);
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
