// The native code in the packages that others wrote, each with its version, its licence and the place of its text.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { manifest, root } from './project.mjs';

const { libtorch, libjpegTurbo } = manifest;
const installed = (name) =>
  JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;

const torch = {
  name: 'LibTorch',
  version: libtorch.version,
  licence: 'BSD-3-Clause',
  purl: `pkg:pypi/torch@${libtorch.version}`,
};

/** What is compiled into the binaries of ghostnet. NOTICE has the texts of the licences. */
export const inBinaries = [
  {
    name: 'libjpeg-turbo',
    version: libjpegTurbo.version,
    licence: 'IJG AND BSD-3-Clause AND Zlib',
    purl: `pkg:generic/libjpeg-turbo@${libjpegTurbo.version}`,
    source: { url: libjpegTurbo.url, sha256: libjpegTurbo.sha256 },
  },
  ...['node-addon-api', 'node-api-headers'].map((name) => ({
    name,
    version: installed(name),
    licence: 'MIT',
    purl: `pkg:npm/${name}@${installed(name)}`,
  })),
  { ...torch, name: "LibTorch's headers" },
];

/** What the GPU library contains besides, if it is built. */
export const inGpuLibrary = [
  {
    name: 'CUDA runtime',
    version: '13',
    licence: 'LicenseRef-NVIDIA-CUDA-Toolkit-EULA',
    purl: 'pkg:generic/cuda-cudart@13',
  },
];

const texts = (...names) => names.map((name) => join(root, 'packaging', 'licences', name));

/** The marks of libraries within LibTorch's for which its wheel has no licence. */
const unlicensed = [
  {
    name: 'GNU OpenMP',
    folder: 'libgomp',
    licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
    texts: texts('gpl-3.0.txt', 'gcc-runtime-library-exception-3.1.txt'),
    isIn: (libraries) => libraries.some((path) => /\blibgomp\b/.test(path)),
  },
  {
    name: 'GNU Fortran runtime',
    folder: 'libgfortran',
    licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
    texts: texts('gpl-3.0.txt', 'gcc-runtime-library-exception-3.1.txt'),
    isIn: (libraries) => libraries.some((path) => /\blibgfortran\b/.test(path)),
  },
  {
    name: 'Arm Compute Library',
    folder: 'arm-compute-library',
    licence: 'MIT',
    texts: texts('arm-compute-library.txt'),
    isIn: (libraries) => libraries.some((path) => /\blibarm_compute/.test(path)),
  },
  {
    name: 'oneAPI Math Kernel Library',
    folder: 'onemkl',
    licence: 'LicenseRef-Intel-Simplified-Software-License',
    texts: texts('intel-simplified-software-license.txt'),
    isIn: (libraries) =>
      libraries.some((path) => readFileSync(path).includes('Intel(R) oneAPI Math Kernel Library')),
  },
];

/** The libraries of Linux wheels whose licences the wheel or this package has. */
const licensed = /^lib(c10|torch|torch_cpu|gomp|gfortran|arm_compute|arm_compute_graph)\.so/;

/**
 * The libraries that nobody has a licence for here: a package with one of them may not be published.
 *
 * @param {string[]} names - of files
 */
export function withoutLicence(names) {
  return names.filter((name) => name.includes('.so') && !licensed.test(name));
}

/**
 * What is in the libraries of LibTorch: itself, and what its wheel or this package names.
 *
 * @param {string[]} libraries - paths
 * @param {string} licences - the folder of the wheel's licences
 */
export function inLibTorch(libraries, licences) {
  const folder = join(licences, 'third_party');
  const named = existsSync(folder) ? readdirSync(folder).sort() : [];
  return {
    torch,
    /** Each with its licence in `licenses/third_party/<name>` of the wheel. */
    thirdParty: named.map((name) => ({ name, folder: name })),
    /** Those whose texts this package adds. */
    added: unlicensed.filter(({ isIn }) => isIn(libraries)),
  };
}
