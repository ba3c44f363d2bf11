// Runs programs for 64-bit ARM on this machine, under qemu-user.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

import { root } from '../../packaging/project.mjs';

const qemu = 'qemu-aarch64-static';
/** The libraries of ARM that Debian's cross compiler comes with. */
const system = '/usr/aarch64-linux-gnu';
/** What programs see in place of the files of this machine. */
const prefix = join(root, 'build', 'arm64', 'system');
const handlers = '/proc/sys/fs/binfmt_misc';

/** @returns the reason why no program for ARM can run here, if there is one */
export function emulationObstacle() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x64';
  if (spawnSync(qemu, ['--version']).status !== 0) return `needs ${qemu} (Debian: qemu-user-static)`;
  if (!existsSync(join(system, 'lib'))) return `needs ${system} (Debian: g++-aarch64-linux-gnu)`;
  return undefined;
}

/**
 * Lays out the files that qemu opens first. LibTorch and oneDNN read which processor they are on where the kernel tells it, which
 * would be this machine's: without these files LibTorch ends with a segmentation fault.
 */
function layOut() {
  rmSync(prefix, { recursive: true, force: true });
  mkdirSync(prefix, { recursive: true });
  symlinkSync(join(system, 'lib'), join(prefix, 'lib'));
  const write = (path, text) => {
    const file = join(prefix, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const processors = Array.from({ length: availableParallelism() }, (_, index) => index);
  const features =
    'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp';
  const lines = (index) => [
    `processor\t: ${index}`,
    'BogoMIPS\t: 50.00',
    `Features\t: ${features}`,
    'CPU implementer\t: 0x41',
    'CPU architecture: 8',
    'CPU variant\t: 0x3',
    'CPU part\t: 0xd0c',
    'CPU revision\t: 1',
    '',
  ];
  write('proc/cpuinfo', `${processors.flatMap(lines).join('\n')}\n`);
  for (const index of processors)
    write(`sys/devices/system/cpu/cpu${index}/regs/identification/midr_el1`, '0x00000000413fd0c1\n');
}

/** The environment of a program for ARM, which qemu reads too: a Neoverse N1, the processor of Graviton 2. */
export function environment(changes = {}) {
  return { ...process.env, QEMU_LD_PREFIX: prefix, QEMU_CPU: 'neoverse-n1', ...changes };
}

// The first bytes of a program for ARM, as the kernel compares them: 64-bit, little-endian, EM_AARCH64.
const magic = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00';
const mask =
  '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff';

/**
 * Lets the kernel start programs for ARM, so that they can start each other. It can already where qemu's package has registered
 * itself; otherwise this process registers it, which root may, and takes it back at its end.
 *
 * @param {string} program - for ARM
 * @returns {boolean} whether the kernel starts it
 */
export function letKernelStart(program) {
  layOut();
  const starts = () => spawnSync(program, ['--version'], { env: environment() }).status === 0;
  if (starts()) return true;
  if (process.getuid() !== 0) return false;
  if (!existsSync(join(handlers, 'register')))
    spawnSync('mount', ['-t', 'binfmt_misc', 'binfmt_misc', handlers]);
  const name = `ghostnet-arm64-${process.pid}`;
  try {
    const path = spawnSync('sh', ['-c', `command -v ${qemu}`], { encoding: 'utf8' }).stdout.trim();
    writeFileSync(join(handlers, 'register'), `:${name}:M::${magic}:${mask}:${path}:F`);
  } catch (error) {
    console.error(`The kernel does not take qemu: ${error.message}`);
    return false;
  }
  process.once('exit', () => {
    writeFileSync(join(handlers, name), '-1');
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  return starts();
}

/** Runs a program for ARM, by qemu itself or, with `by`, by another command. */
export function emulate(program, args, { env = {}, by = [qemu] } = {}) {
  if (!existsSync(prefix)) layOut();
  const [command, ...flags] = by;
  return spawnSync(command, [...flags, program, ...args], { stdio: 'inherit', env: environment(env) });
}
