import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { findCached, weightsPath } from '../../lib/weights/cache.js';
import { pullWeights, type PulledWeights, type PullOptions } from '../../lib/weights/pull-weights.js';
import { entryOf } from '../fixtures/weights/entry.js';
import { file, noise, serve, type TestServer } from '../fixtures/weights/server.js';
import { root } from '../support/child.js';
import { codeOf, errorOf } from '../support/errors.js';

const isRoot = process.geteuid?.() === 0;
const needsRoot = isRoot ? '' : ' (skipped: needs root)';
/** Another user, who can write into the cache. */
const other = 12_345;

const body = noise(300_000);
const forged = noise(300_000, 2);
const entry = entryOf(body);
const timeouts = { connectMs: 5_000, stallMs: 300, retryMs: 10, heartbeatMs: 50, staleMs: 500 };
const registry = [entry];

let cacheDir: string;
let path: string;
beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'GHOSTNET_MIRROR', 'GHOSTNET_OFFLINE']) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
  cacheDir = mkdtempSync(join(tmpdir(), 'ghostnet-shared-'));
  path = weightsPath(entry, cacheDir);
  mkdirSync(dirname(path), { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cacheDir, { recursive: true, force: true });
});

const pull = (server: TestServer, options: PullOptions = {}): Promise<PulledWeights> =>
  pullWeights('noise', { cacheDir, registry, timeouts, baseUrl: server.url, ...options });
const find = () => findCached('noise', { cacheDir, registry });

const suffixes = ['', '.partial', '.partial.etag', '.verified', '.lock'];

describe('a pull into a cache into which others can write', () => {
  it.each(suffixes)('follows no link at %j', async (suffix) => {
    const victim = join(cacheDir, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, path + suffix);
    await using server = await serve(file(body, { etag: '"tag"' }));
    await pull(server);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(readFileSync(path).equals(body)).toBe(true);
    expect(readdirSync(dirname(path)).sort()).toEqual(['model.safetensors', 'model.safetensors.verified']);
  });

  it.each(suffixes)('does not wait for a FIFO at %j', async (suffix) => {
    execFileSync('mkfifo', [path + suffix]);
    await using server = await serve(file(body, { etag: '"tag"' }));
    const start = performance.now();
    await pull(server);
    expect(performance.now() - start).toBeLessThan(3000);
    expect(await find()).toBe(path);
  });

  it('makes files that others cannot change, whatever the umask', () => {
    const script = `
      import { statSync } from 'node:fs';
      import { dirname } from 'node:path';
      import { FileLock } from './dist/weights/lock.js';
      import { makeFolder } from './dist/weights/own-files.js';
      import { PartialFile } from './dist/weights/partial.js';
      process.umask(0);
      const path = process.argv[1];
      await makeFolder(dirname(path));
      const lock = await FileLock.acquire(path + '.lock', { heartbeatMs: 100, staleMs: 1000 });
      const partial = await PartialFile.open(path);
      await partial.beginResponse('"tag"');
      await partial.append(Buffer.from('some bytes'));
      const modes = ['.lock', '.partial', '.partial.etag'].map((suffix) => statSync(path + suffix).mode);
      await partial.finish('0'.repeat(64));
      await partial.close();
      await lock.release();
      modes.push(statSync(path).mode, statSync(path + '.verified').mode, statSync(dirname(path)).mode);
      console.log(JSON.stringify(modes.map((mode) => mode & 0o022)));`;
    const args = ['--input-type=module', '--eval', script, join(cacheDir, 'new', 'folder', 'file')];
    expect(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }).trim()).toBe(
      '[0,0,0,0,0,0]',
    );
  });

  it.skipIf(!isRoot)(`does not go on with a part that is another's${needsRoot}`, async () => {
    writeFileSync(`${path}.partial`, forged.subarray(0, 1000));
    chownSync(`${path}.partial`, other, other);
    await using server = await serve(file(body));
    await pull(server);
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined]);
  });

  it.skipIf(!isRoot)(
    `refuses a folder that is a link of another, not one of its own${needsRoot}`,
    async () => {
      const elsewhere = mkdtempSync(join(cacheDir, 'elsewhere-'));
      rmSync(join(cacheDir, 'weights'), { recursive: true });
      symlinkSync(elsewhere, join(cacheDir, 'weights'));
      await using server = await serve(file(body));
      lchownSync(join(cacheDir, 'weights'), other, other);
      const error = await errorOf(() => pull(server));
      expect(error.code).toBe('GHOSTNET_CACHE_UNWRITABLE');
      expect(error.found).toBe(join(cacheDir, 'weights'));
      expect(existsSync(path)).toBe(false);
      lchownSync(join(cacheDir, 'weights'), 0, 0);
      await pull(server);
      expect(await find()).toBe(path);
    },
  );
});

describe('a record that weights were verified', () => {
  /** Other bytes of the same size and time, beside the record of the right ones. */
  async function forge(): Promise<void> {
    await using server = await serve(file(body));
    await pull(server);
    const { atime, mtime } = statSync(path);
    utimesSync(path, atime, mtime);
    const record = JSON.parse(readFileSync(`${path}.verified`, 'utf8')) as { modified: string };
    writeFileSync(path, forged);
    utimesSync(path, atime, mtime);
    record.modified = String(statSync(path, { bigint: true }).mtimeNs);
    writeFileSync(`${path}.verified`, JSON.stringify(record));
  }

  it('is believed if only this user could have written it', async () => {
    await forge();
    expect(await find()).toBe(path);
  });

  it.each(['', '.verified'])('is not believed if others can write %j', async (suffix) => {
    await forge();
    chmodSync(path + suffix, 0o666);
    expect(await find()).toBeUndefined();
  });

  it.skipIf(!isRoot).each(['', '.verified'])(
    `is not believed if %j is another's${needsRoot}`,
    async (suffix) => {
      await forge();
      chownSync(path + suffix, other, other);
      expect(await find()).toBeUndefined();
      writeFileSync(path, body);
      expect(await find()).toBe(path);
    },
  );
});

describe('a pull that makes no progress', () => {
  it('is given up, though a byte comes now and then', async () => {
    let timer: NodeJS.Timeout | undefined;
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': body.length });
      timer = setInterval(() => response.write('a'), 20);
      response.on('close', () => {
        clearInterval(timer);
      });
    });
    const start = performance.now();
    const error = await errorOf(() => pull(server, { attempts: 2 }));
    expect(error.code).toBe('GHOSTNET_DOWNLOAD_FAILED');
    expect(error.message).toContain('1024 bytes a second');
    expect(performance.now() - start).toBeLessThan(3000);
    expect(server.requests).toHaveLength(2);
  });

  it.skipIf(process.platform !== 'linux')('into a folder in /proc fails at once', async () => {
    await using server = await serve(file(body));
    expect(await codeOf(() => pull(server, { cacheDir: '/proc/missing/cache' }))).toBe(
      'GHOSTNET_CACHE_UNWRITABLE',
    );
  });
});

describe('a user without a home folder', () => {
  it.skipIf(!isRoot)(`needs none if GHOSTNET_CACHE is set${needsRoot}`, () => {
    const script = `
      import { cacheFolder } from './dist/index.js';
      process.setuid(54321);
      delete process.env.HOME;
      delete process.env.XDG_CACHE_HOME;
      const told = [];
      for (const folder of ['/a/cache', '']) {
        process.env.GHOSTNET_CACHE = folder;
        try { told.push(cacheFolder()); } catch (error) { told.push(error.code); }
      }
      console.log(told.join(' '));`;
    const args = ['--input-type=module', '--eval', script];
    const told = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect(told.trim()).toBe('/a/cache GHOSTNET_CACHE_UNWRITABLE');
  });
});
