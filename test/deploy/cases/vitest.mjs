import assert from 'node:assert/strict';

import { versionOf } from '../tools.mjs';

export async function vitest(suite) {
  const app = await suite.app('vitest');
  for (const [title, args] of [
    ['its defaults', []],
    ['threads', ['--pool=threads']],
    ['vmThreads', ['--pool=vmThreads']],
  ]) {
    await suite.check(title, () => {
      const { status, stdout, stderr } = app.run('npx', ['vitest', 'run', '--testTimeout=60000', ...args]);
      assert.equal(status, 0, `${stdout}${stderr}`);
      return title === 'its defaults'
        ? ['Vitest', versionOf(app, 'vitest'), 'its defaults, threads, vmThreads; `vi.resetModules()`']
        : undefined;
    });
  }
}
