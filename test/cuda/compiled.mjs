// Checks the compiled kernels with nvcc and the disassembler: no warnings, no spills, no stack; registers, shared memory and
// occupancy within the promises of each kernel; the expected instructions.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { globSync } from 'tinyglobby';

import { dtypes, generateHeaders, kernels } from './rig.mjs';
import { inParallel, run } from './shell.mjs';
import { findNvcc, findNvdisasm } from './tools.mjs';

const build = join('build', 'cuda-compiled');
const architectures = [80, 90];
const options = ['-std=c++20', '-O3', '-Werror', 'all-warnings'];

/**
 * What a kernel may take, and how many of its blocks a multiprocessor must hold; the limits of registers are those of the
 * launch bounds. Of the products by their tile, pixels x bytes of a row.
 */
const tiles = {
  '256x128': { threads: 256, registers: 128, shared: 40960, blocks: 2 },
  '256x64': { threads: 256, registers: 80, shared: 36864, blocks: 3 },
  '256x32': { threads: 256, registers: 80, shared: 34816, blocks: 3 },
  '64x128': { threads: 128, registers: 128, shared: 32768, blocks: 4 },
};
/** Of the others by their name. */
const layers = {
  cheap_operation_columns: { threads: 128, registers: 128, shared: 0, blocks: 4 },
  cheap_operation_pixels: { threads: 128, registers: 64, shared: 0, blocks: 8 },
  ghost_epilogue: { threads: 128, registers: 64, shared: 0, blocks: 8 },
  stem: { threads: 128, registers: 80, shared: 0, blocks: 6 },
  depthwise_convolution: { threads: 128, registers: 80, shared: 0, blocks: 6 },
  channel_means: { threads: 128, registers: 40, shared: 4096, blocks: 12, stores: false },
  dense: { threads: 128, registers: 128, shared: 0, blocks: 4, stores: false },
  addition: { threads: 256, registers: 32, shared: 0, blocks: 8 },
  halve: { threads: 256, registers: 40, shared: 0, blocks: 6 },
  attention: { threads: 256, registers: 40, shared: 0, blocks: 6 },
};

/** The number of kernels in a source; undefined if there is no such source. */
function kernelCount(kind, dtype) {
  // 8 fused kernels, 3 primary convolutions; tf32 has no narrow tile.
  if (kind === 'products') return dtype === 'tf32' ? 8 : 11;
  return dtype === 'tf32' ? undefined : Object.keys(layers).length + 1; // 2 stems, and one of each other
}

/** The name and the promises of a mangled kernel. */
function kernelOf(mangled) {
  const product =
    /(fused_ghost_module|primary_convolution)INS0_4TileI\w+?Li(\d+)ELi(\d+)EEE(?:Li(\d)E)?/.exec(mangled);
  if (product) {
    const [, name, pixels, rowBytes, cheap] = product;
    const tile = `${pixels}x${rowBytes}`;
    const kind = cheap === undefined ? '' : cheap === '3' ? ', 3x3' : ', any';
    return { name: `${name} ${tile}${kind}`, promise: tiles[tile], product: true };
  }
  const layer = Object.keys(layers).find((name) => mangled.includes(`cuda${name.length}${name}I`));
  if (!layer) return undefined;
  const kind = { Lb1: ' of bytes', Lb0: ' of floats' }[/Lb[01]/.exec(mangled)?.[0]] ?? '';
  return { name: layer + kind, promise: layers[layer], product: false };
}

/** The output of ptxas -v, by kernel. */
function parseResources(output) {
  const number = (text, pattern) => Number(pattern.exec(text)?.[1] ?? 0);
  return output
    .split(/Compiling entry function '/)
    .slice(1)
    .map((text) => ({
      mangled: text.slice(0, text.indexOf("'")),
      registers: number(text, /Used (\d+) registers/),
      shared: number(text, /(\d+) bytes smem/),
      stack: number(text, /(\d+) bytes stack frame/),
      spills: number(text, /(\d+) bytes spill stores/) + number(text, /(\d+) bytes spill loads/),
    }));
}

/** The instructions of each kernel by name, without the assembler's own no-ops ("@!PT"). */
function parseInstructions(listing) {
  const kernelsFound = new Map();
  let counts;
  for (const line of listing.split('\n')) {
    const label = /^\.text\.(\w+):/.exec(line);
    if (label) kernelsFound.set(label[1], (counts = new Map()));
    const instruction = /^\s+\/\*[0-9a-f]{4,}\*\/\s+(@!?U?P\w+ )?([A-Z][A-Z0-9_.]*)/.exec(line);
    if (!counts || !instruction || instruction[1] === '@!PT ') continue;
    counts.set(instruction[2], (counts.get(instruction[2]) ?? 0) + 1);
  }
  return kernelsFound;
}

function count(instructions, pattern) {
  let sum = 0;
  for (const [name, times] of instructions) if (pattern.test(name)) sum += times;
  return sum;
}

async function compile(nvcc, { kind, dtype, architecture }) {
  const source = join(kernels, `${kind}_${dtype}.cu`);
  const ptx = architecture === 'PTX';
  const output = join(build, `${kind}_${dtype}.${architecture}.${ptx ? 'o' : 'cubin'}`);
  // PTX is compiled with the host side of the source; machine code by itself.
  const target = ptx
    ? ['-c', '-gencode', 'arch=compute_90,code=compute_90']
    : ['-cubin', `-arch=sm_${architecture}`, '-Xptxas', '-v'];
  const result = await run(nvcc, [
    ...options,
    '-Inative',
    `-I${await generateHeaders()}`,
    ...target,
    source,
    '-o',
    output,
  ]);
  return { kind, dtype, architecture, file: output, ...result };
}

async function checkKernel({ dtype, architecture }, resources, instructions, occupancy) {
  const { name, promise, product } = kernelOf(resources.mangled);
  const faults = [];
  const expect = (condition, fault) => condition || faults.push(fault);
  expect(resources.spills === 0, `${resources.spills} bytes spilled`);
  expect(resources.stack === 0, `${resources.stack} bytes of stack`);
  expect(resources.registers <= promise.registers, `over ${promise.registers} registers`);
  expect(resources.shared <= promise.shared, `over ${promise.shared} bytes of shared memory`);
  const asked = [Math.floor(architecture / 10), resources.registers, resources.shared, promise.threads].map(
    String,
  );
  const blocks = Number((await run(occupancy, asked)).printed);
  expect(blocks >= promise.blocks, `fewer than ${promise.blocks} blocks a multiprocessor`);

  let shown = '';
  if (instructions) {
    const found = {
      HMMA: count(instructions, dtype === 'tf32' ? /^HMMA\.1688\.F32\.TF32/ : /^HMMA\.16816\.F32/),
      LDL: count(instructions, /^(LDL|STL)/),
      LDGSTS: count(instructions, /^LDGSTS\..*128/),
      LDG: count(instructions, /^LDG\..*128/),
      LDS: count(instructions, /^LDS\..*128/),
      STG: count(instructions, /^STG\..*128/),
    };
    expect(found.LDL === 0, `${found.LDL} accesses to local memory`);
    expect(found.STG > 0 || promise.stores === false, 'no 16-byte stores');
    if (product) {
      expect(found.HMMA > 0 === (dtype !== 'float32'), dtype === 'float32' ? 'tensor cores' : 'no HMMA');
      expect(found.LDGSTS > 0, 'no 16-byte asynchronous copies');
      expect(found.LDS > 0, 'no 16-byte loads from shared memory');
    } else {
      expect(found.LDG > 0, 'no 16-byte loads');
    }
    shown = [found.HMMA, found.LDGSTS, found.LDG, found.LDS, found.STG]
      .map((n) => String(n).padStart(6))
      .join('');
  }
  const occupied = Math.round((blocks * promise.threads * 100) / 2048);
  const columns = [String(resources.registers).padStart(5), String(resources.shared).padStart(7)];
  columns.push(`${blocks} x ${promise.threads} (${occupied} %)`.padStart(17));
  console.log(
    `sm_${architecture} ${dtype.padEnd(9)}${name.padEnd(33)}${columns.join('')}${shown}` +
      (faults.length > 0 ? `   FAILED: ${faults.join(', ')}` : ''),
  );
  return faults.length === 0;
}

/**
 * Type-checks the files around the kernels that see LibTorch against the CPU build, which has the headers.
 * @returns undefined if there is no LibTorch
 */
async function checkTypes(nvcc) {
  const [built] = globSync('build/*/libtorch.json');
  const root = built
    ? JSON.parse(readFileSync(built, 'utf8')).root
    : globSync('.libtorch/*-cpu', { onlyDirectories: true })[0];
  if (!root) return undefined;
  const sources = [
    join('native', 'operator', 'cuda', 'ghost_module_cuda.cpp'),
    join('native', 'cuda_runtime', 'cuda_device.cpp'),
    join('native', 'cuda_runtime', 'library.cpp'),
    join('native', 'test', 'gpu', 'entry.cpp'),
    join('native', 'test', 'gpu', 'engine_entry.cpp'),
  ];
  // One file, because LibTorch's headers take most of the time.
  const all = join(build, 'libtorch_side.cpp');
  writeFileSync(all, sources.map((source) => `#include "${resolve(source)}"\n`).join(''));
  const headers = [join(root, 'include'), join(root, 'include', 'torch', 'csrc', 'api', 'include')];
  // The CPU build lacks a generated header, which this macro excludes.
  const flags = [
    '-std=c++20',
    '-DC10_CUDA_NO_CMAKE_CONFIGURE_FILE',
    '-Inative',
    `-I${await generateHeaders()}`,
  ];
  const checked = ['-Xcompiler', '-fsyntax-only,-Wall,-Wextra,-Werror', '-c', all];
  return run(nvcc, [...flags, ...headers.flatMap((folder) => ['-isystem', folder]), ...checked]);
}

export async function checkCompiled() {
  const nvcc = await findNvcc();
  if (!nvcc) {
    console.log('SKIPPED: no nvcc on PATH or under CUDA_HOME, so the compiled kernels were not checked.');
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const nvdisasm = await findNvdisasm();
  if (!nvdisasm) console.log('SKIPPED: no nvdisasm, so the machine code was not checked.');
  mkdirSync(build, { recursive: true });
  const occupancy = join(build, 'occupancy');
  const built = await run(nvcc, [
    '-std=c++20',
    '-cudart',
    'none',
    join('native', 'test', 'compiled', 'occupancy.cpp'),
    '-o',
    occupancy,
  ]);
  if (built.status !== 0) throw new Error(`the occupancy calculator does not compile:\n${built.output}`);

  const wanted = ['products', 'layers'].flatMap((kind) =>
    dtypes
      .filter((dtype) => kernelCount(kind, dtype))
      .flatMap((dtype) => [...architectures, 'PTX'].map((architecture) => ({ kind, dtype, architecture }))),
  );
  const compiled = await inParallel(wanted, (what) => compile(nvcc, what));
  const totals = { passed: 0, failed: 0, skipped: nvdisasm ? 0 : 1 };
  const tally = (pass) => (totals[pass ? 'passed' : 'failed'] += 1);

  console.log(
    `${'kernel'.padEnd(48)}${'regs'.padStart(5)}${'shared'.padStart(7)}${'blocks x thr.'.padStart(17)}` +
      (nvdisasm ? '  HMMA LDGSTS.128 LDG.128 LDS.128 STG.128' : ''),
  );
  for (const one of compiled) {
    if (!tally(one.status === 0) || one.status !== 0) {
      console.log(
        `sm_${one.architecture} ${one.dtype} ${one.kind}: does not compile without warnings\n${one.output}`,
      );
      continue;
    }
    if (one.architecture === 'PTX') continue;
    const disassembled = nvdisasm ? await run(nvdisasm, [one.file]) : undefined;
    const instructions = disassembled && parseInstructions(disassembled.printed);
    const resources = parseResources(one.output);
    const expected = kernelCount(one.kind, one.dtype);
    if (!tally(resources.length === expected) || resources.length !== expected) {
      console.log(
        `sm_${one.architecture} ${one.dtype} ${one.kind}: FAILED: ${resources.length} kernels, expected ${expected}`,
      );
    }
    for (const kernel of resources) {
      tally(await checkKernel(one, kernel, instructions?.get(kernel.mangled), occupancy));
    }
  }
  console.log(`PTX for compute_90, and the host's side: ${dtypes.join(', ')}`);

  const types = await checkTypes(nvcc);
  if (types) {
    tally(types.status === 0);
    console.log(
      types.status === 0 ? 'LibTorch side: type-checked' : `LibTorch side: FAILED\n${types.output}`,
    );
  } else {
    totals.skipped += 1;
    console.log('SKIPPED: no LibTorch, so the files that use it were not type-checked.');
  }
  return totals;
}
