import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { weightsPath } from '../../lib/weights/cache.js';
import { breakLock, FileLock } from '../../lib/weights/lock.js';
import { pullWeights } from '../../lib/weights/pull-weights.js';
import { entryOf } from '../fixtures/weights/entry.js';
import { file, noise, serve } from '../fixtures/weights/server.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const script = join(root, 'test', 'fixtures', 'weights', 'pull-process.mjs');
const body = noise(300_000);
const half = 150_000;
const entry = entryOf(body);
const timing = { heartbeatMs: 50, staleMs: 2_000 };
const timeouts = { connectMs: 5_000, stallMs: 20_000, retryMs: 10, ...timing };

let library: string;
let cacheDir: string;
let path: string;
const children: ChildProcess[] = [];

/** Compiles the modules that a process needs to pull; below node_modules, so that it finds the dependencies. */
beforeAll(async () => {
  const caches = join(root, 'node_modules', '.cache');
  await mkdir(caches, { recursive: true });
  library = await mkdtemp(join(caches, 'ghostnet-weights-'));
  await writeFile(join(library, 'package.json'), '{ "type": "commonjs" }');
  const names = ['errors.ts', 'text.ts'];
  for (const room of ['check', 'weights']) {
    await mkdir(join(library, room));
    for (const source of await readdir(join(root, 'lib', room))) names.push(join(room, source));
  }
  for (const name of names) {
    const { outputText } = ts.transpileModule(await readFile(join(root, 'lib', name), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.CommonJS,
        esModuleInterop: true,
      },
    });
    await writeFile(join(library, name.replace(/\.ts$/, '.js')), outputText);
  }
});

afterAll(async () => {
  await rm(library, { recursive: true, force: true });
});

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'ghostnet-processes-'));
  path = weightsPath(entry, cacheDir);
  await mkdir(dirname(path), { recursive: true });
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(cacheDir, { recursive: true, force: true });
});

function start(baseUrl: string, options: object = {}): { child: ChildProcess; result: Promise<unknown> } {
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy', 'ghostnet_mirror', 'ghostnet_offline'];
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !proxies.includes(name.toLowerCase())),
  );
  const given = JSON.stringify({ cacheDir, registry: [entry], baseUrl, timeouts, ...options });
  const child = spawn(process.execPath, [script, library, given], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  const result = once(child, 'close').then(() =>
    output === '' ? undefined : (JSON.parse(output) as unknown),
  );
  return { child, result };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

describe('several processes', () => {
  it('pull once', async () => {
    await using server = await serve((request, response) => {
      // Long enough for the other process to arrive in the middle.
      setTimeout(() => {
        file(body)(request, response);
      }, 1_000);
    });
    const results = await Promise.all([start(server.url).result, start(server.url).result]);
    expect(results).toContainEqual({ path, fromCache: false });
    expect(results).toContainEqual({ path, fromCache: true });
    expect(server.requests).toHaveLength(1);
    expect((await readFile(path)).equals(body)).toBe(true);
  });

  it('pull once in one process, too', async () => {
    await using server = await serve(file(body));
    const options = { cacheDir, registry: [entry], baseUrl: server.url, timeouts };
    const pulled = await Promise.all([1, 2, 3].map(() => pullWeights('noise', options)));
    expect(pulled.filter(({ fromCache }) => !fromCache)).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
  });

  it('take over from one that was killed, and go on where it was', async () => {
    await using server = await serve(
      file(body, { etag: '"one"', stallAfter: half }),
      file(body, { etag: '"one"' }),
    );
    const { child, result } = start(server.url);
    await until(async () => existsSync(`${path}.partial`) && (await stat(`${path}.partial`)).size === half);
    child.kill('SIGKILL');
    expect(await result).toBeUndefined();
    expect(existsSync(path)).toBe(false);
    expect(existsSync(`${path}.lock`)).toBe(true);

    expect(await start(server.url).result).toEqual({ path, fromCache: false });
    expect(server.requests[1]?.headers).toMatchObject({ range: `bytes=${half}-`, 'if-range': '"one"' });
    expect((await readFile(path)).equals(body)).toBe(true);
  });

  it('end by themselves after an abort: nothing is left running', async () => {
    await using server = await serve(file(body, { stallAfter: half }));
    const { child, result } = start(server.url, { abortAtBytes: half });
    expect(await result).toMatchObject({ code: 'GHOSTNET_ABORTED' });
    expect(child.exitCode).toBe(0);
    expect(await readdir(dirname(path))).toEqual(['model.safetensors.partial']);
  });

  it('do not finish a file whose lock was taken from them', async () => {
    const thief = JSON.stringify({ pid: 1, host: 'another.example', token: 'thief' });
    let finished: boolean | undefined;
    await using server = await serve(
      (request, response) => {
        void writeFile(`${path}.lock`, thief).then(() => {
          file(body)(request, response);
        });
      },
      (request, response) => {
        finished = existsSync(path);
        file(body)(request, response);
      },
    );
    const pulled = pullWeights('noise', {
      cacheDir,
      registry: [entry],
      baseUrl: server.url,
      timeouts: { ...timeouts, staleMs: 800 },
    });
    await until(
      async () => existsSync(`${path}.partial`) && (await stat(`${path}.partial`)).size === body.length,
    );
    await sleep(300);
    expect(existsSync(path)).toBe(false);
    expect(await readFile(`${path}.lock`, 'utf8')).toBe(thief);
    // The process that took the lock is silent. The received file is whole and needs no second request.
    expect(await pulled).toMatchObject({ fromCache: false });
    expect(finished).toBeUndefined();
    expect(server.requests).toHaveLength(1);
  });
});

describe('FileLock', () => {
  const lockPath = (): string => join(cacheDir, 'lock');

  it('says who holds it, and is gone when released', async () => {
    const lock = await FileLock.acquire(lockPath(), timing);
    expect(JSON.parse(await readFile(lockPath(), 'utf8'))).toMatchObject({
      pid: process.pid,
      host: hostname(),
    });
    expect(await lock.isMine()).toBe(true);
    await lock.release();
    expect(await lock.isMine()).toBe(false);
    expect(await readdir(cacheDir)).toEqual(['weights']);
  });

  it('is not taken from a holder that lives, however long it takes', async () => {
    const short = { heartbeatMs: 50, staleMs: 1_000 };
    const first = await FileLock.acquire(lockPath(), short);
    let taken = false;
    const second = FileLock.acquire(lockPath(), short).then((lock) => {
      taken = true;
      return lock;
    });
    await sleep(2_200);
    expect(taken).toBe(false);
    expect(await first.isMine()).toBe(true);
    await first.release();
    await (await second).release();
  });

  it.each([
    ['of a dead process', () => JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }), 100, 3_000],
    ['of a silent process', () => JSON.stringify({ pid: process.pid, host: hostname() }), 600, 600],
    ['of another machine', () => JSON.stringify({ pid: 2 ** 22 + 1, host: 'another.example' }), 600, 600],
    ['that was cut off', () => '{"pid":', 600, 600],
    ['that is empty', () => '', 600, 600],
  ])('%s is broken after its time', async (_whose, content, leastMs, staleMs) => {
    await writeFile(lockPath(), content());
    const start = performance.now();
    const lock = await FileLock.acquire(lockPath(), { heartbeatMs: 50, staleMs });
    const waited = performance.now() - start;
    expect(waited).toBeGreaterThanOrEqual(leastMs);
    if (leastMs < staleMs) expect(waited).toBeLessThan(staleMs);
    expect(await lock.isMine()).toBe(true);
    await lock.release();
  });

  it('is broken where it leads nowhere', async () => {
    await symlink(join(cacheDir, 'absent'), lockPath());
    await (await FileLock.acquire(lockPath(), { heartbeatMs: 20, staleMs: 100 })).release();
    expect(existsSync(lockPath())).toBe(false);
  });

  it('has one holder at a time, though many break it at once', async () => {
    for (let round = 0; round < 3; round++) {
      await writeFile(lockPath(), JSON.stringify({ pid: 1, host: 'another.example', round }));
      let holders = 0;
      let most = 0;
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          const lock = await FileLock.acquire(lockPath(), { heartbeatMs: 20, staleMs: 500 });
          most = Math.max(most, ++holders);
          await sleep(5);
          holders--;
          await lock.release();
        }),
      );
      expect(most).toBe(1);
    }
    expect(await readdir(cacheDir)).toEqual(['weights']);
  });

  it('is not waited for if it cannot be created', async () => {
    const lost = FileLock.acquire(join(cacheDir, 'absent', 'lock'), timing, AbortSignal.timeout(5_000));
    await expect(lost).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is put back by one who wanted to break another that was there before', async () => {
    await writeFile(lockPath(), 'of a new holder');
    await breakLock(lockPath(), 'of an old holder');
    expect(await readFile(lockPath(), 'utf8')).toBe('of a new holder');
    await breakLock(lockPath(), 'of a new holder');
    await breakLock(lockPath(), 'of a new holder');
    expect(await readdir(cacheDir)).toEqual(['weights']);
  });

  it('beats no longer once it is released', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const lock = await FileLock.acquire(lockPath(), timing);
      expect(vi.getTimerCount()).toBe(1);
      await lock.release();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves the lock of a later holder alone', async () => {
    const first = await FileLock.acquire(lockPath(), timing);
    await rm(lockPath());
    const second = await FileLock.acquire(lockPath(), timing);
    expect(await first.isMine()).toBe(false);
    await first.release();
    expect(await second.isMine()).toBe(true);
    await second.release();
  });
});
