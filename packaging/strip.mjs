// Removes the symbol tables that only debuggers read from Linux libraries. What the system linker needs, .dynsym, stays, so messages
// with a stack have the same names.
import { spawnSync } from 'node:child_process';

/** For libraries of another processor: of Debian's and Ubuntu's packages binutils-<processor>-linux-gnu. */
const strips = { x64: 'x86_64-linux-gnu-strip', arm64: 'aarch64-linux-gnu-strip' };

/**
 * Writes a library of LibTorch without its symbol tables.
 *
 * @param {string} from
 * @param {string} to
 * @param {string} cpu - a process.arch
 * @throws {Error} with what to install
 */
export function strip(from, to, cpu) {
  const command = cpu === process.arch ? 'strip' : strips[cpu];
  const { status, error, stderr } = spawnSync(command, ['--strip-unneeded', '-o', to, from], {
    encoding: 'utf8',
  });
  if (error?.code === 'ENOENT')
    throw new Error(`${command} is missing: install binutils${cpu === process.arch ? '' : ` for ${cpu}`}`);
  if (status !== 0) throw new Error(`${command} ${from}: ${stderr}`);
}
