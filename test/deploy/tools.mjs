import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { label } from '../package/project.mjs';

/** Writes texts by paths into the folder of a project. */
export function write(project, files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project.app, path)), { recursive: true });
    writeFileSync(join(project.app, path), text);
  }
}

/** The version of a package that is installed in a project. */
export function versionOf(project, name) {
  return JSON.parse(readFileSync(join(project.app, 'node_modules', name, 'package.json'), 'utf8')).version;
}

export const photoOf = (project) => readFileSync(join(project.app, 'photo.jpg'));

/** Waits until a server answers. */
export async function answer(child, url, options) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}: ${child.output}`);
    const response = await fetch(url, options).catch(() => undefined);
    // A server that still loads its model says 503.
    if (response !== undefined && response.status !== 503) return response;
    await sleep(100);
  }
  throw new Error(`No answer from ${url}: ${child.output}`);
}

/** Ends a process that was started, and waits for its end. */
export async function end(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await new Promise((resolve) => child.once('exit', resolve));
}

/** Sends the photograph of a project to a server, and checks the answer. */
export async function classifies(project, child, url, options = {}) {
  const response = await answer(child, url, { method: 'POST', body: photoOf(project), ...options });
  const text = await response.text();
  assert.equal(response.status, 200, `${text}\n${child.output}`);
  const result = JSON.parse(text);
  assert.equal((result.classes ?? result)[0].label, label, text);
}

/** A free port. */
export async function freePort() {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
