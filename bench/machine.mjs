import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** The version of the package that is timed. */
export const packageVersion = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;

/** What a run is measured on, and how busy that is now: of a busy machine only the ratios say something. */
export function machine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    processors: processors.length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    loadAverage: loadavg()[0],
  };
}

/**
 * The peak resident memory of a process in MiB, as the kernel counts it since the program started; null where the kernel
 * does not tell (anywhere but Linux).
 *
 * @param {number | 'self'} pid
 */
export function peakMemory(pid) {
  return memory(pid, 'VmHWM');
}

/** As peakMemory, but what is resident now. */
export function residentMemory(pid) {
  return memory(pid, 'VmRSS');
}

function memory(pid, field) {
  if (process.platform !== 'linux') return null;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status);
  return Number(kibibytes) / 1024;
}
