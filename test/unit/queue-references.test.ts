import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FolderReader, isInside } from '../../lib/queue/paths.js';
import { isAllowed, prefixOf, UrlReader } from '../../lib/queue/urls.js';
import { codeOf } from '../support/errors.js';

const { signal } = new AbortController();

describe('the root folder of a worker', () => {
  let folder: string;
  let reader: FolderReader;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ghostnet-root-'));
    mkdirSync(join(folder, 'root', 'below'), { recursive: true });
    writeFileSync(join(folder, 'root', 'below', 'a.jpg'), 'image');
    writeFileSync(join(folder, 'secret'), 'secret');
    mkdirSync(join(folder, 'root-beside'));
    writeFileSync(join(folder, 'root-beside', 'a.jpg'), 'secret');
    symlinkSync('../secret', join(folder, 'root', 'link.jpg'));
    symlinkSync('..', join(folder, 'root', 'up'));
    symlinkSync('below/a.jpg', join(folder, 'root', 'inner.jpg'));
    symlinkSync('root', join(folder, 'alias'));
    if (process.platform !== 'win32') spawnSync('mkfifo', [join(folder, 'root', 'fifo')]);
    reader = await FolderReader.open(join(folder, 'alias'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['below/a.jpg', './below/../below/a.jpg', 'inner.jpg'])('has %s', async (path) => {
    expect(Buffer.from(await reader.read(path, 100, signal)).toString()).toBe('image');
  });

  it('takes absolute paths, also through a link to it', async () => {
    for (const way of ['root', 'alias'])
      expect((await reader.read(join(folder, way, 'below', 'a.jpg'), 100, signal)).length).toBe(5);
  });

  it.each([
    '../secret',
    'below/../../secret',
    'link.jpg',
    'up/secret',
    '/etc/passwd',
    '/no/such/file',
    '..',
    '../root-beside/a.jpg',
    '../missing',
  ])('does not have %s', async (path) => {
    expect(await codeOf(() => reader.read(path, 100, signal))).toBe('GHOSTNET_NOT_ALLOWED');
  });

  it('tells what is wrong with a file in it', async () => {
    expect(await codeOf(() => reader.read('missing.jpg', 100, signal))).toBe('GHOSTNET_FILE_NOT_FOUND');
    expect(await codeOf(() => reader.read('below', 100, signal))).toBe('GHOSTNET_FILE_UNREADABLE');
    expect(await codeOf(() => reader.read('fifo', 100, signal))).toBe('GHOSTNET_FILE_UNREADABLE');
    await expect(reader.read('below/a.jpg', 4, signal)).rejects.toThrow(/maxImageBytes/);
    expect(await codeOf(() => FolderReader.open(join(folder, 'nowhere')))).toBe('GHOSTNET_FILE_NOT_FOUND');
  });

  it('is compared by parts of paths', () => {
    expect(isInside('/a', '/a/b')).toBe(true);
    expect(isInside('/a', '/a/..b')).toBe(true);
    for (const path of ['/a', '/ab', '/', '/b/a']) expect(isInside('/a', path)).toBe(false);
    expect(realpathSync('/')).toBe('/');
  });
});

describe('the prefixes of addresses', () => {
  const prefixes = ['https://bucket.example/photos/', 'https://other.example:8443'].map(prefixOf);

  it.each([
    'https://bucket.example/photos/a.jpg',
    'https://bucket.example/photos/a/b.jpg?X-Amz-Signature=1',
    'https://BUCKET.example:443/photos/a.jpg',
    'https://bucket.example/photos/a..b.jpg',
    'https://bucket.example/other/../photos/a.jpg',
    'https://other.example:8443/any.jpg',
  ])('allow %s', (url) => {
    expect(isAllowed(new URL(url), prefixes)).toBe(true);
  });

  it.each([
    'http://bucket.example/photos/a.jpg',
    'https://bucket.example/photos-private/a.jpg',
    'https://bucket.example/photos/../private/a.jpg',
    'https://bucket.example/photos/%2e%2e/private/a.jpg',
    'https://bucket.example/photos/..%2fprivate/a.jpg',
    'https://bucket.example/photos/..%5cprivate/a.jpg',
    'https://bucket.example/photos/%zz',
    'https://bucket.example.evil.example/photos/a.jpg',
    'https://evil.example/https://bucket.example/photos/a.jpg',
    'https://user@bucket.example/photos/a.jpg',
    'https://bucket.example@evil.example/photos/a.jpg',
    'https://bucket.example:8443/photos/a.jpg',
    'https://other.example/any.jpg',
    'http://169.254.169.254/latest/meta-data/',
  ])('do not allow %s', (url) => {
    expect(isAllowed(new URL(url), prefixes)).toBe(false);
  });

  it.each([
    '',
    'bucket.example',
    'file:///photos',
    'https://user:secret@bucket.example/',
    'https://bucket.example/?a=1',
  ])('are not %j', async (prefix) => {
    expect(await codeOf(() => prefixOf(prefix))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});

describe('an address that is fetched', () => {
  let server: Server;
  let origin: string;
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url ?? '';
      asked.push(path);
      const status = /^\/photos\/status-(\d+)/.exec(path)?.[1];
      if (status !== undefined) response.writeHead(Number(status)).end();
      else if (path === '/photos/loop') response.writeHead(302, { location: '/photos/loop' }).end();
      else if (path === '/photos/out') response.writeHead(302, { location: '/private/a' }).end();
      else if (path === '/photos/nowhere') response.writeHead(302).end();
      else if (path === '/photos/moved') response.writeHead(307, { location: 'a' }).end();
      else if (path === '/photos/slow') response.write('a');
      else if (path === '/photos/lies') response.writeHead(200, { 'content-length': 1e9 }).write('a');
      else if (path === '/photos/short') {
        response.writeHead(200, { 'content-length': 100 }).write('a');
        setTimeout(() => response.destroy(), 20);
      } else response.end('content');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const read = async (path: string, maxBytes = 100, given = signal): Promise<string> => {
    const reader = UrlReader.open([`${origin}/photos/`], 300);
    try {
      return Buffer.from(await reader.read(`${origin}${path}`, maxBytes, given)).toString();
    } finally {
      await reader.close();
    }
  };

  it('gives its content, also after a redirect within the prefix', async () => {
    expect(await read('/photos/a')).toBe('content');
    expect(await read('/photos/moved')).toBe('content');
  });

  it.each([
    ['/photos/status-404', 'GHOSTNET_FILE_NOT_FOUND'],
    ['/photos/status-410', 'GHOSTNET_FILE_NOT_FOUND'],
    ['/photos/status-403', 'GHOSTNET_FILE_UNREADABLE'],
    ['/photos/status-206', 'GHOSTNET_FILE_UNREADABLE'],
    ['/photos/status-500', 'GHOSTNET_DOWNLOAD_FAILED'],
    ['/photos/status-503', 'GHOSTNET_DOWNLOAD_FAILED'],
    ['/photos/status-429', 'GHOSTNET_DOWNLOAD_FAILED'],
    ['/photos/status-408', 'GHOSTNET_DOWNLOAD_FAILED'],
    ['/photos/loop', 'GHOSTNET_FILE_UNREADABLE'],
    ['/photos/nowhere', 'GHOSTNET_FILE_UNREADABLE'],
    ['/photos/out', 'GHOSTNET_NOT_ALLOWED'],
    ['/private/a', 'GHOSTNET_NOT_ALLOWED'],
    ['/photos/slow', 'GHOSTNET_DOWNLOAD_FAILED'],
    ['/photos/short', 'GHOSTNET_DOWNLOAD_FAILED'],
    ['/photos/lies', 'GHOSTNET_FILE_TOO_LARGE'],
  ])('%s: %s', async (path, code) => {
    expect(await codeOf(() => read(path))).toBe(code);
    expect(asked).not.toContain('/private/a');
  });

  it('is limited in bytes', async () => {
    expect(await codeOf(() => read('/photos/a', 6))).toBe('GHOSTNET_FILE_TOO_LARGE');
    expect(await read('/photos/a', 7)).toBe('content');
  });

  it('is given up when the worker stops', async () => {
    const stop = new AbortController();
    const reading = read('/photos/slow', 100, stop.signal);
    setTimeout(() => {
      stop.abort(new Error('stopped'));
    }, 50);
    await expect(reading).rejects.toThrow('stopped');
  });

  it('fails for a server that is not there, and may be later', async () => {
    const reader = UrlReader.open(['http://127.0.0.1:1/'], 1000);
    const failure = codeOf(() => reader.read('http://127.0.0.1:1/a', 100, signal));
    expect(await failure).toBe('GHOSTNET_DOWNLOAD_FAILED');
    await reader.close();
  });
});
