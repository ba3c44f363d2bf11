// Counts the instructions of a program for ARM, function by function: node test/arm64/instructions.mjs [--most 20] <program> [arguments]
// Needs qemu-aarch64 (Debian: qemu-user), which takes plugins, in contrast to its static kind. Functions of the program itself have
// names, those of libraries have not. Emulation says nothing of time: a count is exact, and that is all.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { root } from '../../packaging/project.mjs';
import { emulate } from './emulation.mjs';

const folder = join(root, 'build', 'arm64');
const plugin = join(folder, 'instructions.so');
const counts = join(folder, 'instructions.txt');

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? status}`);
}

const own = process.argv.slice(2);
const { values: options, positionals } = parseArgs({
  args: own[0] === '--most' ? own.slice(0, 2) : [],
  options: { most: { type: 'string', default: '20' } },
  allowPositionals: true,
});
const [program, ...args] = own[0] === '--most' ? own.slice(2) : own;
if (program === undefined || positionals.length > 0)
  throw new Error('Name a program for ARM, such as build/arm64/engine/native/test/ghostnet_engine_tests');

mkdirSync(folder, { recursive: true });
const source = join(import.meta.dirname, 'instructions.c');
run('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', source, '-o', plugin]);
const env = { GHOSTNET_INSTRUCTIONS: counts };
const { status } = emulate(program, args, { env, by: ['qemu-aarch64', '-plugin', plugin] });
if (status !== 0) throw new Error(`${program} ended with ${status}`);

const lines = readFileSync(counts, 'utf8').trim().split('\n');
const functions = lines
  .map((line) => /^(\d+) (.*)$/.exec(line))
  .map(([, count, name]) => [Number(count), name]);
const total = functions.reduce((sum, [count]) => sum + count, 0);
const demangled = spawnSync('c++filt', { input: lines.map((line) => line.replace(/^\d+ /, '')).join('\n') })
  .stdout.toString()
  .split('\n');
console.log(`${total} instructions`);
for (const [index, [count]] of functions.slice(0, Number(options.most)).entries())
  console.log(
    `${String(count).padStart(14)}  ${((100 * count) / total).toFixed(1).padStart(5)} %  ${demangled[index]}`,
  );
