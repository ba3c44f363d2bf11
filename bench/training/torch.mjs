import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { packages } from '../../test/family/environment.mjs';

const script = fileURLToPath(new URL('../python/train.py', import.meta.url));

/** Runs train.py in a process of its own. @param {'speed' | 'accuracy'} what */
export async function torchTraining(what, task) {
  const obstacle = packages.install();
  if (obstacle !== undefined) throw new Error(obstacle);
  const env = { ...packages.environment, OMP_NUM_THREADS: String(task.threads) };
  const child = spawn('python3', [script, what], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(task));
  let text = '';
  child.stdout.on('data', (part) => (text += part));
  const status = await new Promise((resolve) => child.on('close', resolve));
  if (status !== 0) throw new Error(`${script} ended with ${status}`);
  return JSON.parse(text);
}
