import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { root } from '../support/child.js';
import { examplesOf, start, writeExamples } from '../support/examples.js';
import { gradient, toSharp } from '../support/pictures.js';
import { fetchJson, listening } from '../support/served.js';

const page = 'docs/serving.md';

async function freePort(): Promise<number> {
  const server = await listening(createServer());
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

let folder: string;
let jpeg: Buffer;

beforeAll(async () => {
  mkdirSync(new URL('build', root), { recursive: true });
  folder = mkdtempSync(fileURLToPath(new URL('build/serving-', root)));
  writeExamples(page, folder);
  for (const name of ['express', 'fastify'])
    symlinkSync(fileURLToPath(new URL(`node_modules/${name}`, root)), join(folder, 'node_modules', name));
  jpeg = await toSharp(gradient(90, 60)).jpeg().toBuffer();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the programs of docs/serving.md', () => {
  it('are three', () => {
    expect([...examplesOf(page).keys()]).toEqual(['own.mjs', 'express.mjs', 'fastify.mjs']);
  });

  // As they are written, but for the port.
  it.each([
    ['own.mjs', ''],
    ['express.mjs', '/ml'],
    ['fastify.mjs', ''],
  ])('%s classifies', async (name, path) => {
    const port = await freePort();
    const file = join(folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace('8080', String(port)));
    const program = start(folder, name);
    for await (const line of createInterface({ input: program.stdout })) if (line === 'ready') break;
    const url = `http://127.0.0.1:${port}${path}`;
    await expect
      .poll(async () => (await fetchJson(`${url}/v2/health/ready`)).status, { timeout: 20_000 })
      .toBe(200);
    const answer = await fetchJson(`${url}/classify?topK=1`, { method: 'POST', body: jpeg });
    expect(answer.body).toMatchObject({ model: 'everyday', version: '1' });
    program.process.kill(name === 'own.mjs' ? 'SIGTERM' : 'SIGKILL');
    const { code, stderr } = await program.ended;
    expect([code, stderr]).toEqual([name === 'own.mjs' ? 0 : 'SIGKILL', '']);
  });
});

describe('examples/Dockerfile', () => {
  it('has no problem', () => {
    const text = readFileSync(new URL('examples/Dockerfile', root), 'utf8');
    expect(validate(text)).toEqual([]);
    // Otherwise a shell would get the signals.
    expect(text).toMatch(/^ENTRYPOINT \["node_modules\/\.bin\/ghostnet", "serve"/m);
    expect(text).toMatch(/MALLOC_ARENA_MAX=2/);
  });
});
