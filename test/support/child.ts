import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The end of a process. */
export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

interface ChildOptions {
  /** Arguments for node itself, before the script. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command with arguments that starts node, e.g. ['taskset', '-c', '0']. */
  readonly under?: readonly string[];
  /** Milliseconds after which the process is killed. Default 60,000. */
  readonly timeout?: number;
}

/** The repository's root. */
export const root = new URL('../../', import.meta.url);

/** Runs a script of test/support in a separate node process. */
export function runScript(name: string, options: ChildOptions = {}): Promise<Ended> {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const [command, ...rest] = [
    ...(options.under ?? []),
    process.execPath,
    ...(options.flags ?? []),
    script,
    ...(options.args ?? []),
  ];
  const env = { ...process.env, ...options.env };
  return new Promise((resolve, reject) => {
    execFile(
      command ?? '',
      rest,
      { env, cwd: root, timeout: options.timeout ?? 60_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : (error.signal ?? error.code);
        if (code === undefined || code === null) reject(error ?? new Error('No exit code'));
        else resolve({ code, stdout, stderr });
      },
    );
  });
}

/** The JSON that a script prints if it succeeds. */
export async function runScriptForJson<T>(name: string, options: ChildOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await runScript(name, options);
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
