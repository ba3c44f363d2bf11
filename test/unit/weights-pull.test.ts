import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { GhostNetError } from '../../lib/errors.js';
import { findCached, weightsPath } from '../../lib/weights/cache.js';
import type { DownloadProgress } from '../../lib/weights/download.js';
import { redirectTarget } from '../../lib/weights/http.js';
import { pullWeights, type PulledWeights, type PullOptions } from '../../lib/weights/pull-weights.js';
import type { WeightsEntry } from '../../lib/weights/registry.js';
import { entryOf } from '../fixtures/weights/entry.js';
import { answer, file, noise, serve, type TestServer } from '../fixtures/weights/server.js';

const body = noise(300_000);
const half = 150_000;

const entry = entryOf(body, 'repository/model.safetensors');
const { sha256 } = entry;
const unsized = without('bytes');
const unverified = without('sha256');
const unknown = without('bytes', 'sha256');

function without(...keys: string[]): WeightsEntry {
  const kept = Object.entries(entry).filter(([key]) => !keys.includes(key));
  return Object.fromEntries(kept) as unknown as WeightsEntry;
}

/** Fast enough for a test, slow enough for a busy machine. */
const timeouts = { connectMs: 5_000, stallMs: 400, retryMs: 10, heartbeatMs: 100, staleMs: 2_000 };

let cacheDir: string;
let path: string;

beforeEach(async () => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'GHOSTNET_MIRROR', 'GHOSTNET_OFFLINE']) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
  cacheDir = await mkdtemp(join(tmpdir(), 'ghostnet-pull-'));
  path = weightsPath(entry, cacheDir);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(cacheDir, { recursive: true, force: true });
});

function pull(server: TestServer | undefined, options: PullOptions = {}): Promise<PulledWeights> {
  const from = server === undefined ? {} : { baseUrl: server.url };
  return pullWeights('noise', { cacheDir, registry: [entry], timeouts, ...from, ...options });
}

async function failure(promise: Promise<unknown>): Promise<GhostNetError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GhostNetError);
  return error as GhostNetError;
}

async function expectWhole(pulled: PulledWeights, expected = body): Promise<void> {
  expect((await readFile(pulled.path)).equals(expected)).toBe(true);
  expect(pulled.sha256).toBe(createHash('sha256').update(expected).digest('hex'));
  // The lock and the partial file are gone.
  expect((await readdir(dirname(pulled.path))).sort()).toEqual([
    'model.safetensors',
    'model.safetensors.verified',
  ]);
}

describe('pullWeights', () => {
  it('downloads, verifies, reports, and finds the file again without the network', async () => {
    await using server = await serve(file(body));
    const reports: DownloadProgress[] = [];
    const pulled = await pull(server, { onProgress: (progress) => reports.push(progress) });
    expect(pulled).toEqual({ path, entry, fromCache: false, sha256 });
    await expectWhole(pulled);
    expect(server.requests[0]?.url).toBe('/repository/model.safetensors');
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
    expect(reports[0]).toEqual({ receivedBytes: 0, totalBytes: body.length });
    expect(reports.at(-1)).toEqual({ receivedBytes: body.length, totalBytes: body.length });
    const counts = reports.map(({ receivedBytes }) => receivedBytes);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    await vi.waitFor(async () => {
      expect(await server.connections()).toBe(0);
    });

    expect(await pull(server)).toEqual({ path, entry, fromCache: true, sha256 });
    expect(server.requests).toHaveLength(1);
  });

  it('goes on where the connection broke', async () => {
    await using server = await serve(
      file(body, { etag: '"one"', breakAfter: half }),
      file(body, { etag: '"one"' }),
    );
    await expectWhole(await pull(server));
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]?.headers).toMatchObject({ range: `bytes=${half}-`, 'if-range': '"one"' });
  });

  it('starts over where the server knows no ranges', async () => {
    await using server = await serve(file(body, { breakAfter: half }), file(body, { ranges: false }));
    const counts: number[] = [];
    await expectWhole(await pull(server, { onProgress: ({ receivedBytes }) => counts.push(receivedBytes) }));
    expect(server.requests[1]?.headers.range).toBe(`bytes=${half}-`);
    expect(counts.filter((count) => count === 0)).toHaveLength(2);
  });

  it.each([
    ['by If-Range', { etag: '"new"' }],
    ['by the entity tag of the part', { etag: '"new"', conditions: false }],
  ])('notices a file that changed meanwhile, %s', async (_how, options) => {
    const old = noise(body.length, 2);
    await using server = await serve(file(old, { etag: '"old"', breakAfter: half }), file(body, options));
    await expectWhole(await pull(server));
  });

  it('notices it by the checksum where there are no entity tags, and starts over', async () => {
    await using server = await serve(file(noise(body.length, 2), { breakAfter: half }), file(body));
    await expectWhole(await pull(server));
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      `bytes=${half}-`,
      undefined,
    ]);
  });

  it('starts over if it receives another part than requested', async () => {
    await using server = await serve(
      file(body, { breakAfter: half }),
      answer(206, { 'content-range': `bytes 5-${body.length - 1}/${body.length}` }, 'abc'),
      file(body),
    );
    await expectWhole(await pull(server));
    expect(server.requests[2]?.headers.range).toBeUndefined();
  });

  it('starts over if its part is outside the range of the file', async () => {
    await using server = await serve(file(body, { breakAfter: half }), answer(416), file(body));
    await expectWhole(await pull(server));
    expect(server.requests[2]?.headers.range).toBeUndefined();
  });

  it('does not trust a leftover that is longer than the file, or as long and wrong', async () => {
    await using server = await serve(file(body));
    for (const leftover of [noise(body.length + 1, 2), noise(body.length, 2)]) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.partial`, leftover);
      await expectWhole(await pull(server));
      await rm(dirname(path), { recursive: true });
    }
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
  });

  it('takes up a leftover that is whole without asking for more', async () => {
    await using server = await serve(answer(500));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.partial`, body);
    await expectWhole(await pull(server));
    expect(server.requests).toHaveLength(0);
  });
});

describe('a server that misbehaves', () => {
  it('that promises more than it sends is asked as often as allowed', async () => {
    const promise = { 'content-length': String(body.length + 10) };
    await using server = await serve((_request, response) => {
      response.writeHead(200, promise);
      response.write(body, () => setTimeout(() => response.destroy(), 20));
    });
    const error = await failure(pull(server, { registry: [unsized], attempts: 3 }));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(error.message).toContain('after 3 attempts');
    expect(server.requests).toHaveLength(3);
    expect(existsSync(path)).toBe(false);
  });

  it('that promises another length than the registered length is rejected', async () => {
    await using server = await serve(file(Buffer.concat([body, body])));
    const error = await failure(pull(server));
    expect(error).toMatchObject({
      code: 'GHOSTNET_DOWNLOAD_MISMATCH',
      found: `${2 * body.length} bytes`,
      expected: `${body.length} bytes`,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('that promises less than the file is detected by the checksum', async () => {
    await using server = await serve(
      answer(200, { 'content-length': '1000' }, body.subarray(0, 1000).toString('latin1')),
    );
    const error = await failure(pull(server, { registry: [unsized] }));
    expect(error).toMatchObject({ code: 'GHOSTNET_DOWNLOAD_MISMATCH', expected: `SHA-256 ${sha256}` });
    expect(existsSync(path)).toBe(false);
  });

  it('that never stops sending is cut off at the registered length', async () => {
    let sent = 0;
    await using server = await serve((_request, response) => {
      response.writeHead(200);
      const pump = (): void => {
        while (!response.destroyed && response.write(body.subarray(0, 65536))) sent += 65536;
        if (!response.destroyed) response.once('drain', pump);
      };
      pump();
    });
    const error = await failure(pull(server));
    expect(error).toMatchObject({
      code: 'GHOSTNET_DOWNLOAD_MISMATCH',
      found: `more than ${body.length} bytes`,
    });
    expect((await stat(`${path}.partial`)).size).toBe(0);
    const before = sent;
    await new Promise((done) => setTimeout(done, 100));
    expect(sent).toBe(before);
  });

  it('that sends other bytes fails the checksum and leaves no partial file', async () => {
    await using server = await serve(file(noise(body.length, 2)), file(body));
    expect(await failure(pull(server))).toMatchObject({ code: 'GHOSTNET_DOWNLOAD_MISMATCH' });
    expect(existsSync(path)).toBe(false);
    await expectWhole(await pull(server));
    expect(server.requests[1]?.headers.range).toBeUndefined();
  });

  it('that sends other bytes in every part fails with a mismatch', async () => {
    const other = noise(body.length, 2);
    await using server = await serve(file(other, { breakAfter: half }), file(other));
    expect(await failure(pull(server, { attempts: 2 }))).toMatchObject({
      code: 'GHOSTNET_DOWNLOAD_MISMATCH',
    });
  });

  it('that answers with a web page is detected', async () => {
    const page = '<!doctype html><title>Sign in</title>';
    await using server = await serve(answer(200, { 'content-type': 'Text/HTML; charset=utf-8' }, page));
    const error = await failure(pull(server));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_MISMATCH');
    expect(error.found).toContain('web page');
    expect(server.requests).toHaveLength(1);
  });

  it('that compresses against the request is rejected', async () => {
    const zipped = gzipSync(body);
    await using server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped);
    });
    expect(await failure(pull(server))).toMatchObject({
      code: 'GHOSTNET_DOWNLOAD_MISMATCH',
      found: 'a body encoded as "gzip"',
    });
  });

  it('that stalls, in the head or in the body, is asked again', async () => {
    await using server = await serve(() => undefined, file(body, { stallAfter: half }), file(body));
    await expectWhole(await pull(server));
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      undefined,
      `bytes=${half}-`,
    ]);
  });

  it('that is gone fails the download', async () => {
    const server = await serve(file(body));
    await server[Symbol.asyncDispose]();
    const error = await failure(pull(server, { attempts: 2 }));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(error.found).toContain('ECONNREFUSED');
  });

  it.each([401, 403, 404, 410, 204, 206, 304, 418])('that answers %i is asked once', async (status) => {
    await using server = await serve(answer(status));
    const error = await failure(pull(server));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(error.message).toContain(`status ${status}`);
    expect(server.requests).toHaveLength(1);
  });

  it.each([408, 416, 429, 500, 502, 503, 504])('that answers %i is asked again', async (status) => {
    await using server = await serve(answer(status), file(body));
    await expectWhole(await pull(server));
    expect(server.requests).toHaveLength(2);
  });

  it('that asks for a delay gets it', async () => {
    await using server = await serve(answer(429, { 'retry-after': '1' }), file(body));
    const start = performance.now();
    await expectWhole(await pull(server));
    expect(performance.now() - start).toBeGreaterThan(990);
  });

  it('that never recovers is asked as often as allowed', async () => {
    await using server = await serve(answer(503));
    const error = await failure(pull(server, { attempts: 4 }));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(error.message).toContain('status 503');
    expect(server.requests).toHaveLength(4);
  });
});

describe('redirects', () => {
  it('are followed, to relative addresses and other servers', async () => {
    await using store = await serve(file(body));
    await using server = await serve(
      answer(302, { location: '/elsewhere?signature=secret' }),
      answer(307, { location: `${store.url}/blob` }),
    );
    await expectWhole(await pull(server));
    expect(server.requests[1]?.url).toBe('/elsewhere?signature=secret');
    expect(store.requests[0]?.url).toBe('/blob');
  });

  it('are requested again when a download resumes, because the address may have expired', async () => {
    await using store = await serve(file(body, { breakAfter: half }), file(body));
    await using server = await serve(
      answer(302, { location: `${store.url}/a` }),
      answer(302, { location: `${store.url}/b` }),
    );
    await expectWhole(await pull(server));
    expect(store.requests.map(({ url }) => url)).toEqual(['/a', '/b']);
  });

  it('without end are not followed without end', async () => {
    await using server = await serve(answer(302, { location: '/again' }));
    const error = await failure(pull(server));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(server.requests.length).toBeLessThanOrEqual(6);
  });

  it('never leave https, lead to other schemes, or nowhere', () => {
    const from = new URL('https://user:secret@weights.example/a/b?signature=secret');
    expect(redirectTarget(from, '../c').href).toBe('https://user:secret@weights.example/c');
    expect(redirectTarget(new URL('http://weights.example'), 'https://store.example/x').href).toBe(
      'https://store.example/x',
    );
    for (const location of [
      'http://weights.example/c',
      'file:///etc/passwd',
      'data:,x',
      'https://',
      undefined,
    ]) {
      let error: unknown;
      try {
        redirectTarget(from, location);
      } catch (reason) {
        error = reason;
      }
      expect(error).toMatchObject({ code: 'GHOSTNET_DOWNLOAD_FAILED' });
      expect((error as Error).message).not.toContain('secret');
    }
  });

  it('do not carry a password to another server', async () => {
    await using store = await serve(file(body));
    await using server = await serve(answer(302, { location: store.url }));
    await expectWhole(await pull(server, { baseUrl: server.url.replace('//', '//ada:lovelace@') }));
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${btoa('ada:lovelace')}`);
    expect(store.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('a mirror', () => {
  it('comes from GHOSTNET_MIRROR, with a path of its own', async () => {
    await using server = await serve(file(body));
    vi.stubEnv('GHOSTNET_MIRROR', `${server.url}/proxy/hub/`);
    await expectWhole(await pull(undefined));
    expect(server.requests[0]?.url).toBe('/proxy/hub/repository/model.safetensors');
  });

  it('keeps its password out of messages', async () => {
    await using server = await serve(answer(404));
    const error = await failure(pull(server, { baseUrl: server.url.replace('//', '//ada:lovelace@') }));
    expect(error.message).not.toContain('lovelace');
    // A malformed escape is a valid password.
    await failure(pull(server, { baseUrl: server.url.replace('//', '//ada:%zz@') }));
    expect(server.requests[1]?.headers.authorization).toBe(`Basic ${btoa('ada:%zz')}`);
  });

  it.each(['no url', 'ftp://mirror.example', 'file:///weights'])('cannot be %s', async (baseUrl) => {
    expect(await failure(pull(undefined, { baseUrl }))).toMatchObject({ code: 'GHOSTNET_INVALID_ARGUMENT' });
  });
});

describe('a proxy', () => {
  it('is used as HTTP_PROXY says', async () => {
    await using proxy = await serve(file(body));
    vi.stubEnv('HTTP_PROXY', proxy.url.replace('//', '//ada:lovelace@'));
    await expectWhole(await pull(undefined, { baseUrl: 'http://mirror.invalid' }));
    expect(proxy.requests[0]?.url).toBe('http://mirror.invalid/repository/model.safetensors');
    expect(proxy.requests[0]?.headers['proxy-authorization']).toBe(`Basic ${btoa('ada:lovelace')}`);
    expect(proxy.tunnels).toEqual([]);
  });

  it('is bypassed for hosts in NO_PROXY', async () => {
    await using proxy = await serve(answer(500));
    await using server = await serve(file(body));
    vi.stubEnv('HTTP_PROXY', proxy.url);
    vi.stubEnv('NO_PROXY', 'elsewhere.example,127.0.0.1');
    await expectWhole(await pull(server));
    expect(proxy.requests).toHaveLength(0);
  });

  it('is asked for a tunnel to https', async () => {
    await using proxy = await serve(answer(500));
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    const error = await failure(pull(undefined, { attempts: 2 }));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(error.message).toContain('403');
    expect(proxy.tunnels).toEqual(['weights.invalid:443', 'weights.invalid:443']);
  });

  it('that is silent does not hold up for longer than any server', async () => {
    await using proxy = await serve(answer(500));
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    const start = performance.now();
    const error = await failure(pull(undefined, { attempts: 1, baseUrl: 'https://silent.invalid' }));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(proxy.tunnels).toEqual(['silent.invalid:443']);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('whose variable is no URL is named as the reason, its password is not', async () => {
    vi.stubEnv('HTTP_PROXY', 'http://ada:lovelace@:not a url');
    const error = await failure(pull(undefined, { baseUrl: 'http://mirror.invalid' }));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(error.message).toContain('proxy');
    expect(JSON.stringify([error, error.message, error.cause])).not.toContain('lovelace');
  });
});

describe('an abort', () => {
  it('in the middle keeps only the received part', async () => {
    await using server = await serve(file(body, { stallAfter: half }), file(body));
    const controller = new AbortController();
    const reason = new Error('enough');
    const error = await failure(
      pull(server, {
        signal: controller.signal,
        timeouts: { ...timeouts, stallMs: 30_000 },
        onProgress: ({ receivedBytes }) => {
          if (receivedBytes === half) controller.abort(reason);
        },
      }),
    );
    expect(error).toMatchObject({ code: 'GHOSTNET_ABORTED', cause: reason });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(await readdir(dirname(path))).toEqual(['model.safetensors.partial']);
    expect((await stat(`${path}.partial`)).size).toBe(half);

    await expectWhole(await pull(server));
    expect(server.requests[1]?.headers.range).toBe(`bytes=${half}-`);
  });

  it('before, between attempts, and in wait for a lock ends the pull', async () => {
    await using server = await serve(answer(503));
    expect(await failure(pull(server, { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'GHOSTNET_ABORTED',
    });
    expect(server.requests).toHaveLength(0);

    const patient = { ...timeouts, retryMs: 60_000, staleMs: 60_000 };
    const between = pull(server, { signal: AbortSignal.timeout(300), timeouts: patient });
    expect(await failure(between)).toMatchObject({ code: 'GHOSTNET_ABORTED' });
    expect(server.requests).toHaveLength(1);

    await writeFile(`${path}.lock`, JSON.stringify({ pid: 1, host: 'another.example' }));
    const waiting = pull(server, { signal: AbortSignal.timeout(300), timeouts: patient });
    expect(await failure(waiting)).toMatchObject({ code: 'GHOSTNET_ABORTED' });
    expect(server.requests).toHaveLength(1);
  });

  it('by a throw in onProgress is the throw of the caller', async () => {
    await using server = await serve(file(body));
    const own = new Error('mine');
    const throwing = (): void => {
      throw own;
    };
    await expect(pull(server, { onProgress: throwing })).rejects.toBe(own);
    expect(server.requests).toHaveLength(1);
    expect(await readdir(dirname(path))).toEqual(['model.safetensors.partial']);
  });
});

describe('offline', () => {
  it.each([
    ['by option', { offline: true }, undefined],
    ['by GHOSTNET_OFFLINE', {}, '1'],
    ['by GHOSTNET_OFFLINE whatever the option', { offline: false }, 'true'],
  ])('%s only the cache is searched', async (_how, options, variable) => {
    await using server = await serve(file(body));
    vi.stubEnv('GHOSTNET_OFFLINE', variable);
    const error = await failure(pull(server, options));
    expect(error).toMatchObject({ code: 'GHOSTNET_OFFLINE', expected: path });
    expect(server.requests).toHaveLength(0);
    // Not even a folder is made.
    expect(await readdir(cacheDir)).toEqual([]);

    vi.stubEnv('GHOSTNET_OFFLINE', '0');
    await pull(server);
    vi.stubEnv('GHOSTNET_OFFLINE', variable);
    expect(await pull(server, options)).toMatchObject({ fromCache: true });
    expect(server.requests).toHaveLength(1);
  });
});

describe('the cache', () => {
  it('that cannot be written is reported', async () => {
    await using server = await serve(file(body));
    const file_ = join(cacheDir, 'file');
    await writeFile(file_, '');
    const error = await failure(pull(server, { cacheDir: join(file_, 'cache') }));
    expect(error.code).toBe('GHOSTNET_CACHE_UNWRITABLE');
    expect(error.message).toContain(file_);
    expect(server.requests).toHaveLength(0);
  });

  it.each(['.lock', '.partial'])('with a folder in place of %s is reported', async (suffix) => {
    await using server = await serve(file(body));
    await mkdir(join(`${path}${suffix}`, 'full'), { recursive: true });
    const error = await failure(pull(server, { signal: AbortSignal.timeout(10_000) }));
    expect(error.code).toBe('GHOSTNET_CACHE_UNWRITABLE');
  });

  it('finds whole files only', async () => {
    await using server = await serve(file(body));
    const find = (): Promise<string | undefined> => findCached('noise', { cacheDir, registry: [entry] });
    expect(await find()).toBeUndefined();
    await pull(server);
    expect(await find()).toBe(path);

    // Only the time differs: the file is hashed and recorded again.
    await utimes(path, new Date(0), new Date(0));
    await rm(`${path}.verified`);
    expect(await find()).toBe(path);
    expect(existsSync(`${path}.verified`)).toBe(true);

    await writeFile(`${path}.verified`, 'no record');
    expect(await find()).toBe(path);

    await writeFile(path, noise(body.length, 2));
    expect(await find()).toBeUndefined();
    await writeFile(path, body.subarray(1));
    expect(await find()).toBeUndefined();
    await rm(path);
    await mkdir(path);
    expect(await find()).toBeUndefined();
  });

  it('does not hash a file again that it has verified', async () => {
    await using server = await serve(file(body));
    await pull(server);
    const { atime, mtime } = await stat(path);
    // Damage that leaves the modification time unchanged goes unnoticed, which proves that the bytes are not read.
    await writeFile(path, noise(body.length, 2));
    await utimes(path, atime, mtime);
    const record = JSON.parse(await readFile(`${path}.verified`, 'utf8')) as { modified: string };
    record.modified = String((await stat(path, { bigint: true })).mtimeNs);
    await writeFile(`${path}.verified`, JSON.stringify(record));
    expect(await findCached('noise', { cacheDir, registry: [entry] })).toBe(path);
  });

  it('replaces a damaged file', async () => {
    await using server = await serve(file(body));
    await pull(server);
    await writeFile(path, body.subarray(1));
    const again = await pull(server);
    expect(again.fromCache).toBe(false);
    await expectWhole(again);
  });

  it('knows names as the registry does', async () => {
    await expect(findCached('nois', { cacheDir, registry: [entry] })).rejects.toMatchObject({
      code: 'GHOSTNET_UNKNOWN_MODEL',
      remedy: 'Did you mean noise?',
    });
    expect(await findCached('ghostnetv3_100', { cacheDir })).toBeUndefined();
  });
});

describe('weights without a checksum', () => {
  const options = { registry: [unknown] };

  it('are pulled with a warning, and checked against their download from then on', async () => {
    await using server = await serve(file(body));
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const pulled = await pull(server, options);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]?.[1]).toMatchObject({ code: 'GHOSTNET_UNVERIFIED' });
    expect(pulled.path).toBe(join(cacheDir, 'weights', 'noise', 'unverified', 'model.safetensors'));
    await expectWhole(pulled);
    expect(await pull(server, options)).toMatchObject({ fromCache: true, sha256 });

    await writeFile(pulled.path, noise(body.length, 2));
    expect(await findCached('noise', { cacheDir, ...options })).toBeUndefined();
    await writeFile(pulled.path, body);
    await rm(`${pulled.path}.verified`);
    expect(await findCached('noise', { cacheDir, ...options })).toBeUndefined();
  });

  it('go on only on the word of a strong entity tag', async () => {
    vi.spyOn(process, 'emitWarning').mockReturnValue();
    for (const etag of ['W/"weak"', '"strong"']) {
      await using server = await serve(file(body, { etag, breakAfter: half }), file(body, { etag }));
      const pulled = await pull(server, options);
      await expectWhole(pulled);
      expect(server.requests[1]?.headers.range).toBe(etag === '"strong"' ? `bytes=${half}-` : undefined);
      await rm(dirname(pulled.path), { recursive: true });
    }
  });

  it('do not go on with a part of another version', async () => {
    vi.spyOn(process, 'emitWarning').mockReturnValue();
    await using server = await serve(
      file(noise(body.length, 2), { etag: '"old"', breakAfter: half }),
      file(body, { etag: '"new"', conditions: false }),
    );
    await expectWhole(await pull(server, options));
  });

  it('may come in chunks, which end visibly, and not up to the end of a connection', async () => {
    vi.spyOn(process, 'emitWarning').mockReturnValue();
    await using chunked = await serve((_request, response) => response.writeHead(200).end(body));
    const pulled = await pull(chunked, options);
    await expectWhole(pulled);
    await rm(dirname(pulled.path), { recursive: true });
    await using endless = await serve((_request, response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf of it');
    });
    const error = await failure(pull(endless, options));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(error.message).toContain('does not state the length');
  });

  it('are held to a size where one is registered', async () => {
    vi.spyOn(process, 'emitWarning').mockReturnValue();
    await using server = await serve((_request, response) => response.writeHead(200).end(body.subarray(1)));
    const error = await failure(pull(server, { registry: [unverified], attempts: 2 }));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(existsSync(join(cacheDir, 'weights', 'noise', 'unverified', 'model.safetensors'))).toBe(false);
  });
});

describe('options out of their range', () => {
  it.each([
    { attempts: 0 },
    { attempts: NaN },
    { timeouts: { stallMs: -1 } },
    { timeouts: { stallMs: 2 ** 31 } },
    { timeouts: { retryMs: Infinity } },
  ])('are refused: %o', async (options) => {
    expect(await failure(pull(undefined, options))).toMatchObject({ code: 'GHOSTNET_INVALID_ARGUMENT' });
  });
});
