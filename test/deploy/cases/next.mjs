// Next.js: a route handler, `output: 'standalone'` with each bundler, and what happens without serverExternalPackages.
import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { commandsOf, filesOf } from '../page.mjs';
import { classifies, end, freePort, photoOf, answer, versionOf, write } from '../tools.mjs';

const quiet = { NEXT_TELEMETRY_DISABLED: '1' };

function build(app, flags = []) {
  rmSync(join(app.app, '.next'), { recursive: true, force: true });
  const { status, stdout, stderr } = app.run('npx', ['next', 'build', ...flags], quiet);
  return { status, output: `${stdout}${stderr}` };
}

/** Starts the output as an image does: elsewhere, without the node_modules of the project. */
async function startStandalone(app) {
  const folder = join(app.app, '..', 'image');
  rmSync(folder, { recursive: true, force: true });
  // As COPY of a Dockerfile does: a link stays as it is, and leads nowhere back.
  cpSync(join(app.app, '.next', 'standalone'), folder, { recursive: true, verbatimSymlinks: true });
  const port = await freePort();
  const server = app.start('node', [join(folder, 'server.js')], {
    PORT: String(port),
    HOSTNAME: '127.0.0.1',
  });
  return { server, url: `http://127.0.0.1:${port}/api/classify` };
}

async function standaloneClassifies(app) {
  const { server, url } = await startStandalone(app);
  try {
    await classifies(app, server, url);
  } finally {
    await end(server);
  }
}

export async function next(suite) {
  const app = await suite.app('next');
  assert.deepEqual(commandsOf('Next.js'), ['npm install ghostnet']);
  write(app, filesOf('Next.js'));
  const version = versionOf(app, 'next');

  for (const [bundler, flags] of [
    ['Turbopack', []],
    ['webpack', ['--webpack']],
  ]) {
    await suite.check(`the lines of the page, output: 'standalone', with ${bundler}`, async () => {
      const { status, output } = build(app, flags);
      assert.equal(status, 0, output);
      await standaloneClassifies(app);
      return [`Next.js, ${bundler}`, version, "route handler, `output: 'standalone'`"];
    });
  }

  await suite.check('next start', async () => {
    write(app, { 'next.config.mjs': "export default { serverExternalPackages: ['ghostnet'] };\n" });
    const { status, output } = build(app);
    assert.equal(status, 0, output);
    const port = await freePort();
    // Not through npx, which keeps SIGTERM from it.
    const server = app.start('node', ['node_modules/next/dist/bin/next', 'start', '-p', String(port)], quiet);
    try {
      await classifies(app, server, `http://127.0.0.1:${port}/api/classify`);
    } finally {
      await end(server);
    }
  });

  await suite.check(
    'GHOSTNET_BUNDLED: without serverExternalPackages, and the line that it names',
    async () => {
      for (const flags of [[], ['--webpack']]) {
        write(app, { 'next.config.mjs': "export default { output: 'standalone' };\n" });
        const { status, output } = build(app, flags);
        assert.notEqual(status, 0, output);
        const [, line] = /Keep ghostnet external, in Next\.js: `(.*?)` in next\.config/.exec(output) ?? [];
        assert.ok(line !== undefined, output);
        write(app, { 'next.config.mjs': `export default { output: 'standalone', ${line} };\n` });
        assert.equal(build(app, flags).status, 0);
      }
      await standaloneClassifies(app);
    },
  );

  await suite.check(
    'GHOSTNET_LIBTORCH_NOT_INSTALLED: what was not traced, and the line that it names',
    async () => {
      const config = (more) =>
        `export default { output: 'standalone', serverExternalPackages: ['ghostnet'], ${more} };\n`;
      write(app, {
        'next.config.mjs': config("outputFileTracingExcludes: { '/**': ['./node_modules/@ghostnet/**'] }"),
      });
      assert.equal(build(app).status, 0);
      assert.ok(!existsSync(join(app.app, '.next/standalone/node_modules/@ghostnet/libtorch-linux-x64/lib')));
      const { server, url } = await startStandalone(app);
      try {
        await answer(server, url, { method: 'POST', body: photoOf(app) });
        // Next.js logs the error after the answer.
        for (let wait = 0; wait < 100 && !server.output.includes('requireStack'); wait += 1) await sleep(100);
      } finally {
        await end(server);
      }
      const line = /or add `(outputFileTracingIncludes: .*? \] \}|outputFileTracingIncludes: .*?\})`/.exec(
        server.output,
      )?.[1];
      assert.ok(
        line !== undefined && server.output.includes('GHOSTNET_LIBTORCH_NOT_INSTALLED'),
        server.output,
      );
      write(app, { 'next.config.mjs': config(line) });
      assert.equal(build(app).status, 0);
      await standaloneClassifies(app);
    },
  );
}
