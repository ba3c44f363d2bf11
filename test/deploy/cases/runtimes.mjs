// Bun and Deno, with the node_modules that npm has installed.
import assert from 'node:assert/strict';

import { label } from '../../package/project.mjs';
import { versionOf } from '../tools.mjs';

export async function runtimes(suite) {
  const app = await suite.app('runtimes');
  for (const [name, title, args] of [
    ['bun', 'Bun', []],
    ['deno', 'Deno', ['run', '--allow-all']],
  ]) {
    await suite.check(`${title}: import and require, a JPEG and a PNG`, () => {
      for (const script of ['app.mjs', 'app.cjs']) {
        for (const photo of ['photo.jpg', 'photo.png']) {
          assert.equal(app.get('npx', [name, ...args, script, photo]), label, `${script} ${photo}`);
        }
      }
      return [title, versionOf(app, name), '`import` and `require`'];
    });
  }
}
