// Runs several commands at a time.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Runs a command to its end. Never rejects; `status` is null if it was killed or could not start. */
export function run(command, args, { timeout = 600_000, env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    // Not spawn's own timeout, which keeps the process alive if the command does not exist.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    let output = '';
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      output += chunk;
    });
    child.stderr.on('data', (chunk) => (output += chunk));
    const end = (result) => {
      clearTimeout(timer);
      resolve(result);
    };
    child.on('error', (error) => end({ status: null, signal: null, printed, output: error.message }));
    child.on('close', (status, signal) => end({ status, signal, printed, output }));
  });
}

/** Calls `work` on every item, GHOSTNET_TEST_JOBS (default: the number of cores) at a time. Results are in order. */
export async function inParallel(items, work) {
  const jobs = Number(process.env.GHOSTNET_TEST_JOBS) || availableParallelism();
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index], index);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}
