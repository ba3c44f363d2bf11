import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';

import type { GhostNet } from 'ghostnet';
import { createHandler, startServer, type Server } from 'ghostnet/serve';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { codeOf } from '../support/errors.js';
import { gradient, toSharp } from '../support/pictures.js';
import { fetchJson, listening, served, smallModel, type Served } from '../support/served.js';

let model: GhostNet;
let jpeg: Buffer;
/** Takes long to decode. */
let large: Buffer;
const open: { close: () => Promise<unknown> }[] = [];

beforeAll(async () => {
  ({ model, jpeg } = await smallModel());
  large = await toSharp(gradient(4000, 3000)).png().toBuffer();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => {
  model.dispose();
});

async function serve(options?: Parameters<typeof served>[1]): Promise<Served> {
  const server = await served(model, options);
  open.push(server);
  return server;
}
async function start(options?: Parameters<typeof startServer>[1]): Promise<Server> {
  const server = await startServer({ small: model }, { port: 0, drainDelayMs: 0, ...options });
  open.push(server);
  await server.whenReady();
  return server;
}
const classify = (
  url: string,
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
) => fetchJson(`${url}/classify`, { method: 'POST', body, headers });

/** Writes bytes to a connection, and gives all that comes back until it ends. */
async function talk(port: number, ...parts: (string | Buffer | number)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString('latin1')));
  socket.on('error', () => undefined);
  const ended = new Promise((resolve) => socket.once('close', resolve));
  for (const part of parts) {
    if (typeof part === 'number') await delay(part);
    else socket.write(part);
  }
  await ended;
  return text;
}

/** Resolves when so many further requests have reached servers. */
function requestsArrived(count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const arrived = (): void => {
      left -= 1;
      if (left > 0) return;
      unsubscribe('http.server.request.start', arrived);
      resolve();
    };
    subscribe('http.server.request.start', arrived);
  });
}

describe('the body of a request', () => {
  it('is refused above maxBodyBytes, whether its length is known, told late or hidden by compression', async () => {
    const { url, port } = await serve({ maxBodyBytes: 100_000 });
    const known = await classify(url, Buffer.alloc(100_001));
    expect([known.status, known.body.code]).toEqual([413, 'GHOSTNET_REQUEST_TOO_LARGE']);
    expect(known.body.error).toMatch(/100001 bytes.*maxBodyBytes|maxBodyBytes.*100001 bytes/);
    for (const compress of [gzipSync, deflateSync]) {
      const encoding = compress === gzipSync ? 'gzip' : 'deflate';
      const bomb = await classify(url, compress(Buffer.alloc(50_000_000)), { 'content-encoding': encoding });
      expect([bomb.status, bomb.body.code]).toEqual([413, 'GHOSTNET_REQUEST_TOO_LARGE']);
    }
    const chunk = `${(60_000).toString(16)}\r\n${'x'.repeat(60_000)}\r\n`;
    const head =
      'POST /classify HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await talk(port, head, chunk, chunk, '0\r\n\r\n')).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('that is refused in the middle has one answer, with which the connection ends, while the client goes on', async () => {
    const { port } = await serve({ maxBodyBytes: 1000 });
    const head = 'POST /classify HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunk = `${(60_000).toString(16)}\r\n${'x'.repeat(60_000)}\r\n`;
    const begun = performance.now();
    const answer = await talk(port, head, chunk, 100, ...Array.from({ length: 30 }, () => chunk), 100, chunk);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413']);
    expect(answer).toMatch(/^connection: close\r$/im);
    expect(performance.now() - begun).toBeLessThan(8000);
    // Nobody comes to read it again.
    expect(await talk(port, 'POST /v3 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 404 .*^connection: close\r$/ims,
    );
  });

  it('that goes on for ever ends with its connection', async () => {
    const { port } = await serve({ maxBodyBytes: 1000 });
    const head = 'POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n';
    const begun = performance.now();
    expect(await talk(port, head)).toMatch(/^HTTP\/1\.1 413 /);
    expect(performance.now() - begun).toBeLessThan(8000);
  });

  it('in an encoding that is not known is 415, and one that is damaged 400', async () => {
    const { url } = await serve();
    const unknown = await classify(url, jpeg, { 'content-encoding': 'zstd' });
    expect([unknown.status, unknown.body.code]).toEqual([415, 'GHOSTNET_MEDIA_TYPE']);
    const damaged = await classify(url, jpeg, { 'content-encoding': 'gzip' });
    expect([damaged.status, damaged.body.code]).toEqual([400, 'GHOSTNET_BAD_REQUEST']);
  });

  it('is refused with 429 when the bodies in memory have as many bytes as maxBufferedBytes', async () => {
    const { url, port } = await serve({ maxBodyBytes: 200_000, maxBufferedBytes: 200_000 });
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n');
    socket.write(Buffer.alloc(199_990));
    await expect.poll(async () => (await classify(url, jpeg)).status, { timeout: 5000 }).toBe(429);
    // A client that goes away gives its bytes back.
    socket.destroy();
    await expect.poll(async () => (await classify(url, jpeg)).status, { timeout: 5000 }).toBe(200);
  });

  it('that is cut off is nothing', async () => {
    const { url, port } = await serve();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nabc');
    await delay(50);
    socket.destroy();
    expect((await classify(url, jpeg)).status).toBe(200);
  });
});

describe('POST /classify', () => {
  it('takes a file as the body, or several in a form', async () => {
    const { url } = await serve();
    const [best] = await model.classify(jpeg);
    const one = await classify(url, jpeg);
    expect(one.body).toMatchObject({ model: 'small', version: '1' });
    expect((one.body.classes as unknown[])[0]).toEqual(best);
    const form = new FormData();
    form.append('image', new Blob([jpeg]), 'a.jpg');
    const single = await classify(url, form);
    expect(single.body).toMatchObject({ file: 'a.jpg', classes: expect.arrayContaining([best]) as unknown });
    form.append('other', new Blob(['no picture']), 'b.txt');
    form.append('text', 'left aside');
    const both = await classify(url, form);
    expect(both.status).toBe(200);
    expect(both.body).toEqual([
      expect.objectContaining({ file: 'a.jpg' }),
      expect.objectContaining({ file: 'b.txt', code: 'GHOSTNET_MEDIA_TYPE' }),
    ]);
  });

  it('counts the parts of a form before it parses them', async () => {
    const { url } = await serve({ pipeline: { maxQueue: 20 } });
    const part = '--XX\r\nContent-Disposition: form-data; name="a"; filename="a.jpg"\r\n\r\n\r\n';
    const headers = { 'content-type': 'multipart/form-data; boundary="XX"' };
    const begun = performance.now();
    const many = await classify(url, `${part.repeat(200_000)}--XX--\r\n`, headers);
    expect(performance.now() - begun).toBeLessThan(2000);
    expect([many.status, many.body.code]).toEqual([400, 'GHOSTNET_BAD_REQUEST']);
    expect(many.body.error).toMatch(/too many parts.*at most 20.*200000/);
    expect((await classify(url, `${part.repeat(20)}--XX--\r\n`, headers)).body).toHaveLength(20);
    const before = Buffer.concat([
      Buffer.from(`This is a form.\r\n${part.slice(0, -2)}`),
      jpeg,
      Buffer.from('\r\n--XX--\r\n'),
    ]);
    expect((await classify(url, before, headers)).body).toMatchObject({ file: 'a.jpg', model: 'small' });
  });

  it('refuses parameters that it does not know', async () => {
    const { url } = await serve();
    const wrong = await fetchJson(`${url}/classify?topk=3`, { method: 'POST', body: jpeg });
    expect([wrong.status, wrong.body.code]).toEqual([400, 'GHOSTNET_BAD_REQUEST']);
    expect(wrong.body.error).toMatch(/topK, model, version.*"topk"/);
  });

  it('takes topK, model and version', async () => {
    const { url } = await serve();
    const answer = await fetchJson(`${url}/classify?topK=2&model=other&version=1`, {
      method: 'POST',
      body: jpeg,
    });
    expect(answer.body).toMatchObject({ model: 'other', version: '1' });
    expect(answer.body.classes).toHaveLength(2);
    for (const topK of ['0', '5', 'x', '1e9', '']) {
      const wrong = await fetchJson(`${url}/classify?topK=${topK}`, { method: 'POST', body: jpeg });
      expect([wrong.status, wrong.body.code]).toEqual([400, 'GHOSTNET_BAD_REQUEST']);
    }
    expect((await fetchJson(`${url}/classify?model=x`, { method: 'POST', body: jpeg })).status).toBe(404);
  });

  it('answers with the status of what is wrong', async () => {
    const { url } = await serve({ pipeline: { maxPixels: 1_000_000 } });
    const heic = Buffer.from('00000018667479706865696300000000686569636d696631', 'hex');
    const cases: [NonNullable<RequestInit['body']>, number, string][] = [
      [Buffer.alloc(0), 400, 'GHOSTNET_BAD_REQUEST'],
      [jpeg.subarray(0, 300), 422, 'GHOSTNET_IMAGE_UNDECODABLE'],
      ['text', 415, 'GHOSTNET_MEDIA_TYPE'],
      ['<svg xmlns="http://www.w3.org/2000/svg"/>', 415, 'GHOSTNET_MEDIA_TYPE'],
      [heic, 415, 'GHOSTNET_MEDIA_TYPE'],
      [large, 413, 'GHOSTNET_IMAGE_TOO_LARGE'],
      ['https://example.com/photo.jpg', 415, 'GHOSTNET_MEDIA_TYPE'],
    ];
    for (const [body, status, code] of cases) {
      const answer = await classify(url, body, { 'content-type': 'application/octet-stream' });
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    }
    const broken = await classify(url, 'x', { 'content-type': 'multipart/form-data; boundary=a' });
    expect([broken.status, broken.body.code]).toEqual([400, 'GHOSTNET_BAD_REQUEST']);
    const form = new FormData();
    form.append('a', 'text');
    expect((await classify(url, form)).body.error).toMatch(/no file/);
  });
});

describe('the queue', () => {
  it('is full with 429 and Retry-After, and nothing is lost', async () => {
    const { url } = await serve({ pipeline: { maxQueue: 2, maxBatch: 1 } });
    const answers = await Promise.all(Array.from({ length: 24 }, () => classify(url, large)));
    const full = answers.filter(({ status }) => status === 429);
    expect(full.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200).length).toBe(24 - full.length);
    expect(full[0]?.body.code).toBe('GHOSTNET_QUEUE_FULL');
    expect(full[0]?.headers.get('retry-after')).toBe('1');
  });

  it('gives up with 504 after timeoutMs, or the time that a request sets', async () => {
    const { url } = await serve({ pipeline: { timeoutMs: 1 } });
    const answers = await Promise.all(Array.from({ length: 6 }, () => classify(url, large)));
    expect(answers.map(({ status }) => status)).toContain(504);
    const patient = await serve();
    const wait = {
      inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: [large.toString('base64')] }],
    };
    const post = (parameters: object) =>
      fetchJson(`${patient.url}/v2/models/small/infer`, {
        method: 'POST',
        body: JSON.stringify({ ...wait, parameters }),
      });
    const answer = await post({ timeout: 1000 });
    expect([answer.status, answer.body.code]).toEqual([504, 'GHOSTNET_TIMEOUT']);
  });

  it('drops the work of a client that is gone', async () => {
    const { url } = await serve({ pipeline: { maxBatch: 1 } });
    const gone = new AbortController();
    const requests = Array.from({ length: 12 }, () =>
      fetch(`${url}/classify`, { method: 'POST', body: large, signal: gone.signal }).catch(() => undefined),
    );
    const failures = async (): Promise<number> => {
      const { body } = await fetchJson(`${url}/v2/models/small/stats`);
      const [stats] = body.model_stats as { inference_stats: { fail: { count: number } } }[];
      return stats?.inference_stats.fail.count ?? 0;
    };
    await delay(150);
    gone.abort();
    await Promise.all(requests);
    await expect.poll(failures, { timeout: 5000 }).toBeGreaterThan(0);
  });
});

describe('the token', () => {
  it('opens everything but the health and the page', async () => {
    const { url } = await serve({ token: 'secret-123' });
    const status = async (path: string, authorization?: string, method = 'GET'): Promise<number> => {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await fetch(url + path, {
        method,
        headers,
        ...(method === 'POST' ? { body: jpeg } : {}),
      });
      await response.arrayBuffer();
      return response.status;
    };
    for (const path of ['/', '/v2/health/live', '/v2/health/ready', '/v2/models/small/ready'])
      expect(await status(path)).toBe(200);
    for (const path of ['/v2', '/v2/models/small', '/metrics', '/v2/models/stats']) {
      expect(await status(path)).toBe(401);
      expect(await status(path, 'Bearer secret-124')).toBe(401);
      expect(await status(path, 'Bearer secret-1234')).toBe(401);
      expect(await status(path, 'Basic secret-123')).toBe(401);
      expect(await status(path, 'Bearer')).toBe(401);
      expect(await status(path, 'bearer secret-123')).toBe(200);
    }
    expect(await status('/classify', undefined, 'POST')).toBe(401);
    expect(await status('/classify', 'Bearer secret-123', 'POST')).toBe(200);
    const answer = await fetchJson(`${url}/v2`);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.body).toMatchObject({ code: 'GHOSTNET_UNAUTHORIZED' });
  });
});

describe('readiness', () => {
  it('is off until every model is warm', async () => {
    let arrive: (model: GhostNet) => void = () => undefined;
    const later = new Promise<GhostNet>((resolve) => (arrive = resolve));
    const handler = createHandler({ now: model, later });
    const server = await listening(createServer(handler));
    open.push({
      close: async () => {
        server.closeAllConnections();
        server.close();
        await handler.close();
      },
    });
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    expect((await fetchJson(`${url}/v2/health/live`)).status).toBe(200);
    const ready = await fetchJson(`${url}/v2/health/ready`);
    expect([ready.status, ready.body]).toEqual([503, { ready: false, live: false }]);
    expect(handler.isReady).toBe(false);
    const early = await fetchJson(`${url}/classify?model=later`, { method: 'POST', body: jpeg });
    expect([early.status, early.body.code]).toEqual([503, 'GHOSTNET_NOT_READY']);
    expect(early.headers.get('retry-after')).toBe('1');
    arrive(model);
    await handler.whenReady();
    expect((await fetchJson(`${url}/v2/health/ready`)).status).toBe(200);
    expect((await fetchJson(`${url}/classify?model=later`, { method: 'POST', body: jpeg })).status).toBe(200);
  });

  it('stays off if a model cannot be loaded', async () => {
    const handler = createHandler({ broken: Promise.reject(new Error('no such weights')) });
    await expect(handler.whenReady()).rejects.toThrow('no such weights');
    expect(handler.isReady).toBe(false);
    await handler.close();
  });
});

describe('startServer()', () => {
  it('refuses what is no HTTP, heads that are too long or slow, and answers what is pipelined in order', async () => {
    const { port } = await start({ headersTimeoutMs: 300, requestTimeoutMs: 300 });
    expect(await talk(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*GHOSTNET_BAD_REQUEST/s);
    expect(await talk(port, `GET /v2 HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await talk(port, 'GET /v2 HTTP/1.1\r\nHost: a\r\n')).toMatch(/^HTTP\/1\.1 408 /);
    expect(
      await talk(port, 'POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n', 'a', 200, 'b'),
    ).toMatch(/^HTTP\/1\.1 408 /);
    const get = (path: string, rest = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${rest}\r\n`;
    const piped = await talk(port, get('/v2/health/live') + get('/v3') + get('/v2', 'Connection: close\r\n'));
    expect(piped.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
    expect(await talk(port, 'GET http://a/v2?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    const smuggled =
      'POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await talk(port, smuggled)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('tells an address that cannot be used', async () => {
    const { port } = await start();
    expect(await codeOf(() => startServer({ a: model }, { port }))).toBe('GHOSTNET_ADDRESS_UNUSABLE');
    expect(await codeOf(() => startServer({ a: model }, { host: '203.0.113.7', port: 0 }))).toBe(
      'GHOSTNET_ADDRESS_UNUSABLE',
    );
  });

  it('ends in order: readiness goes off, what was taken is answered, what is late is 503', async () => {
    const server = await start({ drainDelayMs: 400 });
    const taken = classify(server.url, large);
    await delay(30);
    const closing = server.close();
    expect(server.handler.isReady).toBe(false);
    const ready = await fetchJson(`${server.url}/v2/health/ready`);
    expect([ready.status, ready.headers.get('connection')]).toEqual([503, 'close']);
    // Load balancers have not noticed yet.
    expect((await classify(server.url, jpeg)).status).toBe(200);
    expect((await taken).status).toBe(200);
    await closing;
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it('rejects with 503 what is not done after graceMs', async () => {
    const server = await start({ drainDelayMs: 0, graceMs: 1, pipeline: { maxBatch: 1 } });
    const arrived = requestsArrived(20);
    const many = Promise.all(Array.from({ length: 20 }, () => classify(server.url, large)));
    await arrived;
    const begun = performance.now();
    await server.close();
    expect(performance.now() - begun).toBeLessThan(3000);
    const statuses = (await many).map(({ status, body }) => (status === 200 ? 200 : body.code));
    expect(statuses).toContain('GHOSTNET_CLOSED');
    expect(
      statuses.every((status) => [200, 'GHOSTNET_CLOSED', 'GHOSTNET_NOT_READY'].includes(status as never)),
    ).toBe(true);
  });

  it('answers with 503 after graceMs, too, what is still on its way', async () => {
    const server = await start({ drainDelayMs: 0, graceMs: 1 });
    const head = 'POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\nthe beginning';
    const [goesOn, stalls] = [talk(server.port, head, 500, 'x'.repeat(77)), talk(server.port, head)];
    await requestsArrived(2);
    const begun = performance.now();
    await server.close();
    expect(performance.now() - begun).toBeLessThan(3000);
    for (const answer of [await goesOn, await stalls]) {
      expect(answer).toMatch(/^HTTP\/1\.1 503 .*connection: close.*GHOSTNET_NOT_READY/is);
    }
  });

  it.each([
    [{}, 'at least one'],
    [{ 'a/b': 1 }, 'letters, digits'],
    [{ stats: {} }, '/v2/models/stats'],
    [{ a: 1 }, 'model is not an object'],
    [
      [
        { name: 'a', model: {} },
        { name: 'a', model: {} },
      ],
      'same name',
    ],
  ])('checks the models %j', (models, message) => {
    expect(() => createHandler(models as never)).toThrow(message);
  });

  it.each([
    { maxBodyBytes: 0 },
    { maxBufferedBytes: 'x' },
    { token: '' },
    { token: 'a b' },
    { registry: {} },
    { page: 1 },
    { pipeline: { maxBatch: 0 } },
    { pipeline: { output: 'embed' } },
    { pipeline: { maxQueues: 5 } },
    { maxBodyByte: 5 },
  ])('checks the options %j', async (options) => {
    expect(await codeOf(() => createHandler({ a: model }, options as never))).toBe(
      'GHOSTNET_INVALID_ARGUMENT',
    );
    expect(await codeOf(() => startServer({ a: model }, options as never))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it.each([
    { port: 70_000 },
    { host: 5 },
    { graceMs: -1 },
    { ports: 8080 },
    { maxConnections: 0 },
    { drainDelayMs: 9, graceMs: 1 },
  ])('checks its own options %j', async (options) => {
    expect(await codeOf(() => startServer({ a: model }, options as never))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});

it('a HEAD request has the head of the answer alone', async () => {
  const { port } = await serve();
  const status = await new Promise((resolve) => {
    httpRequest({ port, method: 'HEAD', path: '/v2' }, (response) => {
      response.resume();
      resolve([response.statusCode, Number(response.headers['content-length']) > 50]);
    }).end();
  });
  expect(status).toEqual([200, true]);
});
