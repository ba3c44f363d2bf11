import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** The version of the timed package. */
export const packageVersion = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;

/** The machine and its current load. On a busy machine only ratios are meaningful. */
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
 * The peak resident memory of a process in MiB since the program started, as the kernel counts it; null on any system but
 * Linux.
 *
 * @param {number | 'self'} pid
 */
export function peakMemory(pid) {
  return memory(pid, 'VmHWM');
}

/** Like peakMemory, but the current resident memory. */
export function residentMemory(pid) {
  return memory(pid, 'VmRSS');
}

function memory(pid, field) {
  if (process.platform !== 'linux') return null;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status);
  return Number(kibibytes) / 1024;
}
