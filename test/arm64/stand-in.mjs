// A LibTorch for linux-arm64 to test with. What is published comes from the wheel for CPUs alone ("+cpu"), which only PyTorch's own
// index has. Where that cannot be reached, PyPI's wheel stands in: it is made for CUDA, so that its libtorch_cpu needs two of CUDA's
// libraries. Stubs take their place, whose functions all fail. The stand-in is never published: packaging/libtorch.mjs refuses it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { readElf } from '../../packaging/formats/elf.mjs';
import { manifest, root } from '../../packaging/project.mjs';

const { version } = manifest.libtorch;
const compiler = 'aarch64-linux-gnu-gcc';

/** Where the stand-in lies, as LIBTORCH names it. */
export const standIn = join(root, '.libtorch', `${version}-stand-in-linux-arm64`);

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${error?.message ?? status}`);
}

/** Fetches PyPI's wheel once. @returns its path */
function fetchWheel() {
  const folder = join(root, 'build', 'arm64', 'downloads');
  const find = () =>
    existsSync(folder) && readdirSync(folder).find((name) => /^torch-.*aarch64\.whl$/.test(name));
  if (!find()) {
    console.log(`Fetching PyPI's wheel of torch ${version} for ARM (430 MB)`);
    const what = ['--python-version', '3.11', '--platform', 'manylinux_2_28_aarch64', `torch==${version}`];
    run('python3', [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary=:all:',
      '--dest',
      folder,
      ...what,
    ]);
  }
  return join(folder, find());
}

// The GPU's libraries stay in the wheel: what needs them is not opened.
const unpack = `
import fnmatch, sys, zipfile
wheel, folder = sys.argv[1:]
wanted = ['torch/include/*', 'torch/lib/*.so*', 'torch/version.py', '*.dist-info/licenses/*']
unwanted = ['torch/lib/libtorch_cuda*', 'torch/lib/*nvshmem*', 'torch/lib/libtorch_python*', 'torch/lib/libtorch.so']
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        fits = lambda patterns: any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
        if fits(wanted) and not fits(unwanted): archive.extract(name, folder)
`;

/** Makes a library of CUDA's of which only the functions are there that another library imports; all of them fail. */
function makeStub(folder, soname, imports) {
  const source = imports.map(({ name }) => `int ${name}(void) { return 100; }\n`).join('');
  const map = join(folder, `${soname}.map`);
  writeFileSync(map, `${soname} { global: *; };\n`);
  const flags = ['-shared', '-fPIC', '-x', 'c', '-', `-Wl,-soname,${soname}`, `-Wl,--version-script=${map}`];
  run(compiler, [...flags, '-o', join(folder, soname)], {
    input: source,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  rmSync(map);
}

/** Makes the stand-in once. @returns its folder */
export function makeStandIn() {
  if (existsSync(join(standIn, 'complete'))) return standIn;
  const wheel = fetchWheel();
  console.log(`Unpacking ${basename(wheel)}`);
  const folder = `${standIn}.unpacked`;
  for (const old of [folder, standIn]) rmSync(old, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('python3', ['-c', unpack, wheel, folder]);
  renameSync(join(folder, 'torch'), standIn);
  const information = readdirSync(folder).find((name) => name.endsWith('.dist-info'));
  renameSync(join(folder, information, 'licenses'), join(standIn, 'licenses'));
  rmSync(folder, { recursive: true });

  const lib = join(standIn, 'lib');
  const { needed, imports } = readElf(join(lib, 'libtorch_cpu.so'));
  for (const soname of needed.filter((name) => /^lib(cudart|cupti)\.so/.test(name))) {
    makeStub(
      lib,
      soname,
      imports.filter(({ version: of }) => of === soname),
    );
  }
  // PyPI's libtorch.so needs the library for GPUs. It has no code of its own.
  const flags = ['-shared', '-x', 'c', '/dev/null', '-Wl,--no-as-needed', '-Wl,-soname,libtorch.so'];
  const links = [`-L${lib}`, '-ltorch_cpu', '-Wl,--unresolved-symbols=ignore-all'];
  run(compiler, [...flags, ...links, '-o', join(lib, 'libtorch.so')]);
  writeFileSync(join(standIn, 'complete'), '');
  return standIn;
}
