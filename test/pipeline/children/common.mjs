// What the measured programs share. Each prints one line of JSON.
import { readFileSync } from 'node:fs';

/** Arguments of the form `--name=value`, as the runner passes them. */
export const given = Object.fromEntries(
  process.argv.slice(2).map((argument) => {
    const [, name, value] = /^--(\w+)=(.*)$/s.exec(argument);
    return [name, JSON.parse(value)];
  }),
);

export function print(measured) {
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

/** The most memory that this process has occupied so far, in megabytes. */
export function peakMemory() {
  return (Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024) / 1e6;
}

/** The value below which a share of the values lies. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

export const median = (values) => percentile(values, 0.5);

/** An array of a length that repeats its parts. */
export const repeated = (parts, length) => Array.from({ length }, (_, index) => parts[index % parts.length]);
