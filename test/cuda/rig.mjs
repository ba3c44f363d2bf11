// Builds and runs the rig of native/test/rig: the CUDA kernels' own source on this CPU. Needs g++ and cmake, no CUDA.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import { globSync } from 'tinyglobby';

import { inParallel, run } from './shell.mjs';

const build = join('build', 'cuda-on-cpu');
const generated = join(build, 'generated');
const compiler = process.env.CXX ?? 'g++';
const launcher = process.env.CMAKE_CXX_COMPILER_LAUNCHER;
const common = ['-std=c++20', '-O2', '-g', '-Wall', '-Wextra', '-Werror', '-fPIE', '-DGHOSTNET_CUDA_ON_CPU'];
// The compiler calls __tsan_* at every access. The rig implements these functions; ThreadSanitizer's library is not linked.
const instrumented = [
  '-fsanitize=thread',
  '--param',
  'tsan-instrument-func-entry-exit=0',
  '-fno-strict-aliasing',
  '-Wno-unknown-pragmas',
  '-x',
  'c++',
];
/** The dtypes of products. All but tf32, which uses the float32 kernels, have kernels for the other layers too. */
export const dtypes = ['float32', 'float16', 'bfloat16', 'tf32'];
export const kernels = join('native', 'kernels', 'cuda');

async function must(command, args) {
  const { status, output } = await run(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${output}`);
}

/** Whether an object is newer than all that it was compiled from. */
function isUpToDate(object) {
  const list = `${object}.d`;
  if (!existsSync(object) || !existsSync(list)) return false;
  const [, ...sources] = readFileSync(list, 'utf8').split(/[\s\\]+/);
  const made = statSync(object).mtimeMs;
  return [import.meta.filename, ...sources.filter(Boolean)].every(
    (source) => existsSync(source) && statSync(source).mtimeMs < made,
  );
}

/** @param root a folder whose kernels/cuda/ goes before the real one's */
async function compile(source, object, root) {
  if (isUpToDate(object)) return object;
  const includes = [...(root ? [root] : []), 'native', join('native', 'test', 'rig')];
  includes.push(generated);
  const command = [
    ...(launcher ? [launcher] : []),
    compiler,
    ...common,
    ...includes.flatMap((folder) => ['-I', folder]),
    ...(source.endsWith('.cu') ? instrumented : []),
    ...(root ? ['-O1', '-g1'] : []), // a mutant runs for a moment only
    '-MMD',
    '-MF',
    `${object}.d`,
    '-c',
    source,
    '-o',
    object,
  ];
  await must(command[0], command.slice(1));
  return object;
}

async function link(objects, program) {
  await must(compiler, ['-pie', ...objects, '-o', program]);
  return program;
}

/** Makes the headers that the build generates. @returns their include folder */
export async function generateHeaders() {
  mkdirSync(build, { recursive: true });
  await must('cmake', [`-DBINARY_DIR=${build}`, '-P', join('cmake', 'GeneratedHeaders.cmake')]);
  return generated;
}

/** @returns the objects of a rig program: its own, and those of the kernels by file name */
export async function buildObjects() {
  await generateHeaders();
  const own = [
    ...globSync('native/test/rig/*.cpp', { ignore: '**/rig_{device,library}.cpp' }),
    ...globSync('native/model/*.cpp'),
  ];
  const code = [join(kernels, 'launch.cpp'), ...globSync('native/kernels/cuda/*.cu')];
  const objects = await inParallel([...code, ...own], (source) =>
    compile(source, join(build, `${basename(source)}.o`)),
  );
  return {
    own: objects.slice(code.length),
    kernels: new Map(code.map((source, index) => [basename(source), objects[index]])),
  };
}

/** The unchanged rig. */
export function linkRig(objects) {
  return link([...objects.kernels.values(), ...objects.own], join(build, 'cuda_on_cpu'));
}

/** The rig with `changed` (file names in kernels/cuda under `root`) recompiled. */
export async function linkMutant(objects, root, changed, program) {
  const fresh = [];
  for (const file of changed)
    fresh.push(await compile(join(root, 'kernels', 'cuda', file), join(root, `${file}.o`), root));
  // First, so that their versions of inline functions win.
  const rest = [...objects.kernels].filter(([file]) => !changed.includes(file)).map(([, object]) => object);
  return link([...fresh, ...rest, ...objects.own], program);
}

/** Runs everything, or the cases that have `only` in their text; counts from its last line. */
export async function runRig(program, only) {
  const { status, signal, printed, output } = await run(program, only === undefined ? [] : ['--only', only]);
  process.stdout.write(output);
  const counts = /^(\d+) passed, (\d+) failed$/m.exec(printed);
  if (!counts) {
    console.error(`the rig ended with ${signal ?? status} before it finished`);
    return { passed: 0, failed: 1 };
  }
  const failed = Number(counts[2]);
  return { passed: Number(counts[1]), failed: status === 0 ? failed : Math.max(1, failed) };
}
