import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a program of this folder in a process of its own.
 *
 * @param given - its arguments
 * @returns its exit code, when it ended as Date.now(), and the JSON that it printed
 */
export async function runChild(name, given, { exitCode = 0, seconds = 600 } = {}) {
  const args = Object.entries(given).map(([option, value]) => `--${option}=${JSON.stringify(value)}`);
  const script = fileURLToPath(new URL(`children/${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 1000 * seconds,
    killSignal: 'SIGKILL',
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (printed += part));
  let endedAt = 0;
  child.once('exit', () => (endedAt = Date.now()));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (...end) => resolve(end));
  });
  if (code !== exitCode) throw new Error(`${name} ended with ${code ?? signal}, not ${exitCode}`);
  return { endedAt, measured: JSON.parse(printed) };
}

/** The JSON that a program of this folder prints. */
export async function measure(name, given, options) {
  return (await runChild(name, given, options)).measured;
}
