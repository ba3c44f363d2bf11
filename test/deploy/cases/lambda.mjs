// AWS Lambda: its runtime interface client against a stub of the runtime API, on a read-only file system, without a home.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { label } from '../../package/project.mjs';
import { bring } from '../../package/tools.mjs';
import { filesOf } from '../page.mjs';
import { isolation, readOnly } from '../images/isolation.mjs';
import { end, photoOf, write } from '../tools.mjs';

const clientVersion = '4.0.2';

/** The runtime interface client, which its installation compiles. */
const client = () => bring('aws-lambda-ric', clientVersion, true);

/** The runtime API with one event. @returns its address, and the result of the function */
async function runtimeApi(event) {
  let settle;
  const result = new Promise((resolve) => (settle = resolve));
  let given = false;
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    if (request.url.endsWith('/invocation/next')) {
      if (given) return; // Lambda waits for the next event.
      given = true;
      response.setHeader('Lambda-Runtime-Aws-Request-Id', 'one');
      response.setHeader('Lambda-Runtime-Deadline-Ms', String(Date.now() + 60_000));
      response.setHeader('Lambda-Runtime-Invoked-Function-Arn', 'arn:aws:lambda:eu-west-1:1:function:f');
      // Without a trace the client crashes; Lambda sends one always.
      response.setHeader('Lambda-Runtime-Trace-Id', 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0');
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(event));
      return;
    }
    settle({ path: request.url, body });
    response.writeHead(202).end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${server.address().port}`,
    result,
    close: () => server.closeAllConnections() ?? server.close(),
  };
}

/** Invokes a handler as Lambda does. @returns what the runtime API was sent */
async function invoke(app, handler, { env = {}, cwd = app.app, isolated = true } = {}) {
  const api = await runtimeApi({ body: photoOf(app).toString('base64') });
  const ric = join(client(), 'index.mjs');
  const surroundings = {
    AWS_LAMBDA_RUNTIME_API: api.address,
    AWS_LAMBDA_FUNCTION_NAME: 'classify',
    AWS_LAMBDA_FUNCTION_VERSION: '1',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
    AWS_LAMBDA_LOG_GROUP_NAME: 'group',
    AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
    LAMBDA_TASK_ROOT: cwd,
    _HANDLER: handler,
    HOME: '/nonexistent',
    ...env,
  };
  const command = isolated ? readOnly(['node', ric], cwd) : ['node', ric];
  const child = app.start(command[0], command.slice(1), surroundings, cwd);
  try {
    const ended = new Promise((_, reject) =>
      child.once('close', (code) => reject(new Error(`The client ended with ${code}: ${child.output}`))),
    );
    return await Promise.race([api.result, ended]);
  } finally {
    api.close();
    await end(child, 'SIGKILL');
  }
}

export async function lambda(suite) {
  const app = await suite.app('lambda');
  const isolated = isolation() === undefined;
  // For another user than that of the test.
  chmodSync(join(app.app, '..'), 0o755);
  write(app, filesOf('Lambda'));
  await suite.check('the lines of the page', async () => {
    const { path, body } = await invoke(app, 'index.handler', { isolated });
    assert.match(path, /\/response$/, body);
    assert.equal(JSON.parse(body)[0].label, label);
    const how = isolated ? 'read-only, no home, another user' : 'no home';
    return ['AWS Lambda', `aws-lambda-ric ${clientVersion}`, `a stub of the runtime API; ${how}`];
  });

  await suite.check('a layer, whose node_modules NODE_PATH names', async () => {
    const layer = join(app.app, '..', 'layer', 'nodejs');
    mkdirSync(layer, { recursive: true });
    cpSync(join(app.app, 'node_modules'), join(layer, 'node_modules'), { recursive: true });
    const task = join(app.app, '..', 'task');
    mkdirSync(task);
    const handler = `const { GhostNet } = require('ghostnet');
const model = GhostNet.load();
exports.handler = async ({ body }) => (await model).classify(Buffer.from(body, 'base64'));\n`;
    write({ app: task }, { 'index.cjs': handler });
    const env = { NODE_PATH: join(layer, 'node_modules') };
    const { body } = await invoke(app, 'index.handler', { env, cwd: task, isolated });
    assert.equal(JSON.parse(body)[0]?.label, label, body);
  });

  await suite.check(
    'GHOSTNET_LIBTORCH_NOT_INSTALLED: installed on a Mac, and the line that it names',
    async () => {
      rmSync(join(app.app, 'node_modules'), { recursive: true });
      rmSync(join(app.app, 'package-lock.json'));
      app.get('npm', ['install', '--os=darwin', '--cpu=arm64', '--no-audit', '--no-fund']);
      const { body } = await invoke(app, 'index.handler', { isolated });
      const { errorMessage } = JSON.parse(body);
      const [, line] =
        /remove node_modules and package-lock\.json, then `npm (.*?)`/.exec(errorMessage) ?? [];
      assert.ok(line !== undefined, body);
      rmSync(join(app.app, 'node_modules'), { recursive: true });
      rmSync(join(app.app, 'package-lock.json'));
      app.get('npm', line.split(' '));
      const again = await invoke(app, 'index.handler', { isolated });
      assert.equal(JSON.parse(again.body)[0]?.label, label, again.body);
    },
  );
}
