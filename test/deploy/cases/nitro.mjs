// Nitro: its tracer finds the native parts by itself.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { classifies, end, freePort, versionOf, write } from '../tools.mjs';

export async function nitro(suite) {
  const app = await suite.app('nitro');
  await suite.check('nitro build, started elsewhere', async () => {
    app.get('npx', ['nitro', 'build']);
    const folder = join(app.app, '..', 'image');
    cpSync(join(app.app, '.output'), folder, { recursive: true, verbatimSymlinks: true });
    const port = await freePort();
    const server = app.start('node', [join(folder, 'server', 'index.mjs')], { PORT: String(port) });
    try {
      await classifies(app, server, `http://127.0.0.1:${port}/classify`);
    } finally {
      await end(server);
    }
    return ['Nitro', versionOf(app, 'nitro'), 'a route, the preset node-server'];
  });
  await suite.check('noExternals, which would bundle it, fails in the build', () => {
    write(app, { 'nitro.config.ts': 'export default { noExternals: true };\n' });
    const { status, stdout, stderr } = app.run('npx', ['nitro', 'build']);
    assert.notEqual(status, 0);
    assert.match(`${stdout}${stderr}`, /externals are not allowed/);
  });
}
