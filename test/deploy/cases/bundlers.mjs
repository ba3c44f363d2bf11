// Bundlers: bundled in by mistake, each program ends with the line for its bundler; with that line it works.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';

import { label } from '../../package/project.mjs';
import { versionOf, write } from '../tools.mjs';

/** Each builds app.cjs or app.mjs. @returns the path of the bundle */
const all = [
  {
    name: 'esbuild',
    place: 'the arguments of esbuild',
    build(app, line) {
      const args = ['--bundle', '--platform=node', '--log-level=error', ...words(line)];
      app.get('npx', ['esbuild', 'app.cjs', '--outfile=out/esbuild.cjs', ...args]);
      return 'out/esbuild.cjs';
    },
  },
  {
    name: 'webpack',
    place: 'webpack.config',
    build(app, line) {
      write(app, {
        'webpack.config.cjs': `module.exports = {
          mode: 'development', devtool: false, target: 'node', entry: './app.cjs',
          output: { path: __dirname + '/out', filename: 'webpack.cjs' },
          ${line}
        };\n`,
      });
      // sharp's binary is an error for webpack: in production mode, it writes no bundle, and no message of ours is seen.
      app.run('npx', ['webpack', '--config', 'webpack.config.cjs']);
      return 'out/webpack.cjs';
    },
  },
  {
    name: 'vite',
    place: 'vite.config',
    build(app, line) {
      const external = line === '' ? 'ssr: { noExternal: true }' : line;
      write(app, {
        'vite.config.mjs': `export default { ${external}, build: { ssr: 'app.mjs', outDir: 'out/vite' } };\n`,
      });
      app.get('npx', ['vite', 'build']);
      return 'out/vite/app.mjs';
    },
  },
  {
    name: 'bun',
    place: 'the arguments of bun build',
    build(app, line) {
      app.get('npx', ['bun', 'build', 'app.mjs', '--target=node', '--outdir=out/bun', ...words(line)]);
      return 'out/bun/app.js';
    },
  },
];

const words = (line) => line.split(' ').filter((word) => word !== '');

export async function bundlers(suite) {
  const app = await suite.app('bundlers');
  for (const { name, place, build } of all) {
    await suite.check(`GHOSTNET_BUNDLED: ${name}, and the line that it names`, () => {
      const bundle = build(app, '');
      // Bun writes the paths of this machine into its bundle: it fails on another.
      const installed = join(app.app, 'node_modules', 'ghostnet');
      if (name === 'bun') renameSync(installed, `${installed}-away`);
      const { status, stderr } = app.run('node', [bundle, 'photo.jpg']);
      if (name === 'bun') renameSync(`${installed}-away`, installed);
      assert.notEqual(status, 0);
      const [, line, found] = /Keep ghostnet external, in \w+: `(.*?)` in ([\w. ]+?)\./.exec(stderr) ?? [];
      assert.equal(found, place.split('.')[0], stderr.slice(-2000));
      assert.match(stderr, /GHOSTNET_BUNDLED/);
      assert.equal(app.get('node', [build(app, line), 'photo.jpg']), label);
      return [name, versionOf(app, name), `bundled by mistake: the message; with \`${line}\``];
    });
  }
  await suite.check('vite build --ssr without a setting leaves it external', () => {
    write(app, { 'vite.config.mjs': "export default { build: { ssr: 'app.mjs', outDir: 'out/vite' } };\n" });
    app.get('npx', ['vite', 'build']);
    assert.equal(app.get('node', ['out/vite/app.mjs', 'photo.png']), label);
  });
}
