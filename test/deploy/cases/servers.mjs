// Uploads to node:http, Express and Fastify; cluster and pm2.
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { classifies, end, freePort, photoOf, versionOf } from '../tools.mjs';

/** A form with the photograph, as a browser sends it. */
function form(app) {
  const body = new FormData();
  body.append('photo', new Blob([photoOf(app)]), 'photo.jpg');
  return { body };
}

/** Starts a script, sends it the photograph, and ends it. */
async function serves(app, script, requests) {
  const port = await freePort();
  const server = app.start('node', [script], { PORT: String(port) });
  try {
    for (const [path, options] of requests) {
      await classifies(app, server, `http://127.0.0.1:${port}${path}`, options);
    }
  } finally {
    await end(server);
  }
}

export async function servers(suite) {
  const app = await suite.app('servers');
  await suite.check('node:http: the request is a stream', async () => {
    await serves(app, 'http.mjs', [
      ['/', {}],
      ['/', {}],
    ]);
    return [
      'node:http',
      process.versions.node.split('.')[0] && app.get('node', ['--version']).slice(1),
      'an upload as a stream',
    ];
  });
  await suite.check('Express: a raw body, and a form by multer', async () => {
    await serves(app, 'express.cjs', [
      ['/raw', { headers: { 'content-type': 'image/jpeg' } }],
      ['/form', form(app)],
    ]);
    return [
      'Express',
      versionOf(app, 'express'),
      `a raw body; a form, by multer ${versionOf(app, 'multer')}`,
    ];
  });
  await suite.check('Fastify: a form by @fastify/multipart', async () => {
    await serves(app, 'fastify.mjs', [['/form', form(app)]]);
    return [
      'Fastify',
      versionOf(app, 'fastify'),
      `a form, by @fastify/multipart ${versionOf(app, '@fastify/multipart')}`,
    ];
  });
  await suite.check('cluster: two workers', async () => {
    await serves(
      app,
      'cluster.mjs',
      Array.from({ length: 6 }, () => ['/', {}]),
    );
    return ['cluster', 'of Node', 'two workers'];
  });
  await suite.check('pm2: two instances, reloaded without a lost request', async () => {
    const port = await freePort();
    const env = { PORT: String(port), PM2_HOME: join(app.app, '.pm2') };
    const pm2 = (...args) => {
      const { status, stdout, stderr } = app.run('npx', ['pm2', ...args], env);
      assert.equal(status, 0, `${stdout}${stderr}`);
    };
    const alive = { exitCode: null, output: 'pm2' };
    try {
      pm2('start', 'http.mjs', '--name', 'classify', '-i', '2');
      await classifies(app, alive, `http://127.0.0.1:${port}/`);
      pm2('reload', 'classify');
      await classifies(app, alive, `http://127.0.0.1:${port}/`);
    } finally {
      app.run('npx', ['pm2', 'kill'], env);
    }
    return ['pm2', versionOf(app, 'pm2'), 'two instances, a reload'];
  });
}
