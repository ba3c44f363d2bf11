import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Sends photos to a server for a while, from a process of its own.
 *
 * @returns {Promise<{ answered: number, failed: number, perSecond: number, p50: number, p99: number }>} times in milliseconds
 */
export async function loadOf(what) {
  const script = fileURLToPath(new URL('autocannon.mjs', import.meta.url));
  const { stdout } = await run(process.execPath, [script, JSON.stringify(what)]);
  const load = JSON.parse(stdout);
  if (load.failed > 0) throw new Error(`${load.failed} of ${load.answered + load.failed} requests failed`);
  return load;
}
