import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { root } from '../support/child.js';
import { gradient, toSharp } from '../support/pictures.js';
import { fetchJson } from '../support/served.js';

let folder: string;
let jpeg: Buffer;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-serve-'));
  jpeg = await toSharp(gradient(90, 60)).jpeg().toBuffer();
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Starts `ghostnet serve`. @returns once it is ready or has ended */
async function serve(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ['dist/cli/main.js', 'serve', '--port', '0', '--drain-delay', '0', ...args],
    {
      cwd: root,
      env: { ...process.env, ...env },
    },
  );
  children.add(child);
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => {
      resolve(signal ?? code ?? -1);
    }),
  );
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (line.includes('ready after')) break;
  }
  child.stderr.on('data', (data: Buffer) => lines.push(data.toString()));
  const url = /listening at (\S+)/.exec(lines.join('\n'))?.[1] ?? '';
  return { child, url, lines, ended };
}

describe('ghostnet serve', () => {
  it('serves the embedded model, and ends with 0 on SIGTERM, with a request in its hands', async () => {
    const { child, url, lines, ended } = await serve([]);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(lines.at(-1)).toMatch(/^ghostnet: ready after \d+\.\d s: ghostnet:1$/);
    expect((await fetchJson(`${url}/v2/health/ready`)).status).toBe(200);
    const answer = await fetchJson(`${url}/classify?topK=1`, { method: 'POST', body: jpeg });
    expect(answer.body).toMatchObject({ model: 'ghostnet', version: '1' });
    expect(answer.body.classes).toHaveLength(1);
    const large = await toSharp(gradient(3000, 2000)).png().toBuffer();
    const taken = fetchJson(`${url}/classify`, { method: 'POST', body: large });
    setTimeout(() => child.kill('SIGTERM'), 40);
    // As supervisors do.
    setTimeout(() => child.kill('SIGTERM'), 60);
    expect((await taken).status).toBe(200);
    expect(await ended).toBe(0);
    expect(lines.join('')).toContain('ghostnet: SIGTERM: finishing what was taken');
  });

  it('takes models with names and versions, and a token', async () => {
    const file = 'models/ghostnet_050_cifar10.safetensors';
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'secret\n');
    const { url, child, ended } = await serve([
      '-m',
      `a=${file}`,
      '-m',
      `a:7=${file}`,
      '--token-file',
      tokenFile,
    ]);
    const headers = { authorization: 'Bearer secret' };
    expect((await fetchJson(`${url}/v2/models/a`)).status).toBe(401);
    expect((await fetchJson(`${url}/v2/models/a`, { headers })).body.versions).toEqual(['1', '7']);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it('takes the token from the environment', async () => {
    const { url } = await serve([], { GHOSTNET_TOKEN: 'other' });
    expect((await fetchJson(`${url}/v2`)).status).toBe(401);
    expect((await fetchJson(`${url}/v2`, { headers: { authorization: 'Bearer other' } })).status).toBe(200);
  });

  it.each([
    [['-m', 'none'], 3, /GHOSTNET_/],
    [['-m', 'a=no-such-file.safetensors'], 3, /GHOSTNET_FILE_NOT_FOUND/],
    [['-m', 'a/b'], 2, /Expected NAME/],
    [['--port', 'x'], 2, /Expected a port/],
    [['--port', '70000'], 2, /Expected a port/],
    [['--host', '203.0.113.7'], 3, /GHOSTNET_ADDRESS_UNUSABLE/],
    [['--token-file', 'no-such-file'], 3, /no-such-file.*GHOSTNET_FILE_NOT_FOUND/],
    [['--token-file', 'README.md'], 2, /README\.md has no token.*GHOSTNET_INVALID_ARGUMENT/],
    [['--drain-delay', '2000', '--grace', '1000'], 2, /drainDelayMs is longer/],
    [
      ['-m', 'a=models/ghostnet_050_cifar10.safetensors', '-m', 'a=models/ghostnet_050_cifar10.safetensors'],
      2,
      /same name and version/,
    ],
  ])('%j ends with %i', async (args, code, message) => {
    const { ended, lines } = await serve(args);
    expect(await ended).toBe(code);
    expect(lines.join('\n')).toMatch(message);
  });
});
