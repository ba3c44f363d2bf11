import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline as flow } from 'node:stream/promises';
import { ReadableStream, type WritableStreamDefaultWriter } from 'node:stream/web';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';

import {
  GhostNet,
  type ClassScore,
  type ImageEvent,
  type ImageInput,
  type Pipeline,
  type StreamOptions,
} from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf, errorOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';
import { gradient, plain, toSharp } from '../support/pictures.js';

let model: GhostNet;
let folder: string;
let jpeg: Buffer;
let path: string;
let expected: ClassScore[];
const bad = Buffer.from('not an image');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-pipeline-'));
  model = await GhostNet.create({ stages: smallStages, numClasses: 4, inputSize: 32, seed: 1 });
  jpeg = await toSharp(gradient(90, 60)).jpeg().toBuffer();
  path = join(folder, 'a b#%.jpg');
  writeFileSync(path, jpeg);
  expected = await model.classify(path);
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true });
});

function transferred(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

/** An image whose content never comes. */
const never = (): PassThrough => new PassThrough();

/** A source that never has an image. */
async function* waitForever(): AsyncGenerator<Buffer> {
  await new Promise(() => undefined);
  yield jpeg;
}

/** Runs a test with a pipeline, and checks that it is empty afterwards. */
async function using(
  options: Parameters<GhostNet['pipeline']>[0],
  body: (pipeline: Pipeline<ClassScore[]>) => Promise<void>,
): Promise<void> {
  const pipeline = model.pipeline({ ...options, output: 'classify' });
  try {
    await body(pipeline);
  } finally {
    await pipeline.destroy();
  }
  const { waiting, computing, accepted, succeeded, failed, aborted, timedOut } = pipeline.stats();
  expect([waiting, computing]).toEqual([0, 0]);
  expect(succeeded + failed + aborted + timedOut).toBe(accepted);
}

describe('an image of a pipeline', () => {
  const forms: [string, () => ImageInput | Promise<ImageInput>][] = [
    ['a path', () => path],
    ['a file: URL', () => pathToFileURL(path)],
    ['a Buffer', () => jpeg],
    ['a Uint8Array', () => new Uint8Array(jpeg)],
    [
      'a Uint8Array of another realm',
      () => runInNewContext('Uint8Array.from(bytes)', { bytes: [...jpeg] }) as Uint8Array,
    ],
    ['an ArrayBuffer', () => new Uint8Array(jpeg).buffer],
    ['a part of an ArrayBuffer', () => new Uint8Array(Buffer.concat([Buffer.alloc(9), jpeg])).subarray(9)],
    ['a Blob', () => new Blob([new Uint8Array(jpeg)])],
    ['a File', () => new File([new Uint8Array(jpeg)], 'a.jpg')],
    ['a Node stream', () => Readable.from([jpeg.subarray(0, 100), jpeg.subarray(100)])],
    ['a web stream', () => new Blob([new Uint8Array(jpeg)]).stream() as ReadableStream<Uint8Array>],
  ];
  it.each(forms)('can be %s', async (_, form) => {
    await using({}, async (pipeline) => {
      expect(await pipeline.run(await form())).toEqual(expected);
    });
  });

  it('can be pixels', async () => {
    const pixels = gradient(40, 36);
    await using({}, async (pipeline) => {
      const fromPng = await pipeline.run(await toSharp(pixels).png().toBuffer());
      expect(await pipeline.run(pixels)).toEqual(fromPng);
    });
  });

  it.each([
    ['data:image/jpeg;base64,c2VjcmV0', /a data: URL.*31 characters.*Buffer\.from/s],
    [' data:image/jpeg;base64,c2VjcmV0', /a data: URL.*32 characters/s],
    ['https://me:c2VjcmV0@example.com/a.jpg', /an https: URL.*example.com.*fetch/s],
    ['file:///a.jpg', /a file: URL.*new URL/s],
    ['c2VjcmV0'.repeat(1000), /too long.*8000 characters.*base64/s],
    ['https://example.com/a.jpg', /https: URL.*fetch/s],
    ['HTTP://example.com/a.jpg', /http: URL.*fetch/s],
    ['blob:nodedata:1', /blob: URL.*Blob itself/s],
  ])('that is the URL %s gets an error that says what to do', async (url, message) => {
    await using({}, async (pipeline) => {
      const error = await errorOf(() => pipeline.run(url));
      expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain('c2VjcmV0c2VjcmV0c2VjcmV0');
      if (url.length < 100) expect(error.message).not.toContain('c2VjcmV0');
      if (/^(data|https):/.test(url))
        expect((await errorOf(() => pipeline.run(new URL(url)))).message).toMatch(message);
    });
  });

  it('that is a stream is destroyed if it is not read', async () => {
    await using({ maxQueue: 2 }, async (pipeline) => {
      const held = [never(), never()];
      const runs = held.map((stream) => pipeline.run(stream).catch(() => undefined));
      const refused = never();
      expect(await codeOf(() => pipeline.run(refused))).toBe('GHOSTNET_QUEUE_FULL');
      expect(refused.destroyed).toBe(true);
      let isCancelled = false;
      const web = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
      expect(await codeOf(() => pipeline.run(web))).toBe('GHOSTNET_QUEUE_FULL');
      expect(isCancelled).toBe(true);
      await pipeline.destroy();
      await Promise.all(runs);
      expect(held.map(({ destroyed }) => destroyed)).toEqual([true, true]);
      const late = never();
      expect(await codeOf(() => pipeline.run(late))).toBe('GHOSTNET_CLOSED');
      expect(late.destroyed).toBe(true);
    });
  });

  it('that waits, and whose signal fires, is destroyed too', async () => {
    await using({ maxQueue: 200, whenFull: 'wait' }, async (pipeline) => {
      const controller = new AbortController();
      const streams = Array.from({ length: 150 }, never);
      const runs = streams.map((stream) => pipeline.run(stream, controller).catch(() => undefined));
      controller.abort();
      await Promise.all(runs);
      expect(streams.every(({ destroyed }) => destroyed)).toBe(true);
    });
  });

  it.each([
    ['an empty Buffer', () => Buffer.alloc(0), 'GHOSTNET_IMAGE_UNDECODABLE'],
    ['a transferred ArrayBuffer', () => transferred(), 'GHOSTNET_DISPOSED'],
  ])('that is %s is an error', async (_, form, code) => {
    await using({}, async (pipeline) => {
      expect(await codeOf(() => pipeline.run(form()))).toBe(code);
      const outcomes = [];
      for await (const { error } of pipeline.stream([jpeg, form(), jpeg])) outcomes.push(error?.code);
      expect(outcomes).toEqual([undefined, code, undefined]);
    });
  });

  it('fails with the error of its stream', async () => {
    await using({}, async (pipeline) => {
      const broken = new PassThrough();
      const failed = errorOf(() => pipeline.run(broken));
      broken.write(jpeg.subarray(0, 50));
      broken.destroy(new Error('connection reset'));
      const { code, message } = await failed;
      expect([code, message]).toEqual([
        'GHOSTNET_FILE_UNREADABLE',
        expect.stringContaining('connection reset'),
      ]);
    });
  });

  it('fails if its bytes change or go away while it waits', async () => {
    await using({ maxQueue: 100 }, async (pipeline) => {
      const copies = Array.from({ length: 30 }, () => new Uint8Array(jpeg));
      const runs = copies.map((bytes) => pipeline.run(bytes).catch((error: unknown) => error));
      copies[28]?.fill(0);
      const { buffer } = copies[29] ?? new Uint8Array();
      structuredClone(buffer, { transfer: [buffer] });
      const results = await Promise.all(runs);
      expect(results.slice(0, 28)).toEqual(results.slice(0, 28).map(() => expected));
      expect(results.slice(28)).toMatchObject([{ code: 'GHOSTNET_DISPOSED' }, { code: 'GHOSTNET_DISPOSED' }]);
    });
  });
});

describe('pipeline.run()', () => {
  it('shares batches between callers', async () => {
    await using({ maxBatch: 8 }, async (pipeline) => {
      const results = await Promise.all(Array.from({ length: 64 }, () => pipeline.run(jpeg)));
      expect(results).toEqual(results.map(() => expected));
      const { batches, batchSizes, succeeded, totalMs, spentMs } = pipeline.stats();
      expect(succeeded).toBe(64);
      expect(batches).toBeLessThan(64);
      expect(Math.max(...Object.keys(batchSizes).map(Number))).toBeLessThanOrEqual(8);
      expect(totalMs.count).toBe(64);
      expect(totalMs.sum / 64 / totalMs.mean).toBeCloseTo(1, 2);
      expect(spentMs.waiting + spentMs.decoding + spentMs.computing).toBeCloseTo(totalMs.sum, 3);
      expect(totalMs.p99).toBeGreaterThanOrEqual(totalMs.p50);
    });
  });

  it('fills batches for as long as maxDelayMs says', async () => {
    await using({ maxBatch: 4, maxDelayMs: 2000 }, async (pipeline) => {
      await Promise.all(Array.from({ length: 4 }, () => pipeline.run(jpeg)));
      expect(pipeline.stats().batchSizes).toEqual({ 4: 1 });
    });
    await using({ maxBatch: 4, maxDelayMs: 20 }, async (pipeline) => {
      await pipeline.run(jpeg);
      expect(pipeline.stats().batchSizes).toEqual({ 1: 1 });
    });
  });

  it('rejects what finds the queue full', async () => {
    await using({ maxQueue: 3 }, async (pipeline) => {
      const held = [1, 2, 3].map(() => pipeline.run(never()).catch(() => 'held'));
      const { code, message } = await errorOf(() => pipeline.run(jpeg));
      expect(code).toBe('GHOSTNET_QUEUE_FULL');
      expect(message).toContain('maxQueue');
      expect(pipeline.stats()).toMatchObject({ waiting: 3, rejected: 1, accepted: 3 });
      await pipeline.destroy();
      expect(await Promise.all(held)).toEqual(['held', 'held', 'held']);
    });
  });

  it('waits for a place if asked to', async () => {
    await using({ maxQueue: 4, whenFull: 'wait' }, async (pipeline) => {
      const runs = Array.from({ length: 200 }, () => pipeline.run(path));
      expect(pipeline.stats()).toMatchObject({ waiting: 4, blocked: 196 });
      expect(await Promise.all(runs)).toEqual(runs.map(() => expected));
    });
  });

  it('times out before the computation, not after', async () => {
    await using({ timeoutMs: 30 }, async (pipeline) => {
      const { code, message } = await errorOf(() => pipeline.run(never()));
      expect(code).toBe('GHOSTNET_TIMEOUT');
      expect(message).toContain('timeoutMs');
      expect(await pipeline.run(jpeg)).toEqual(expected);
      expect(pipeline.stats()).toMatchObject({ timedOut: 1, succeeded: 1, waiting: 0 });
    });
  });

  it('is aborted at any stage, at once', async () => {
    await using({ maxQueue: 1000 }, async (pipeline) => {
      const controller = new AbortController();
      const { signal } = controller;
      const settled: number[] = [];
      const runs = Array.from({ length: 300 }, (_, index) =>
        pipeline.run(index % 10 === 0 ? never() : jpeg, { signal }).then(
          () => 'done',
          (error: unknown) => {
            settled.push(performance.now());
            return (error as { code: string }).code;
          },
        ),
      );
      await delay(5);
      const start = performance.now();
      controller.abort(new Error('enough'));
      const outcomes = await Promise.all(runs);
      expect(outcomes).toContain('GHOSTNET_ABORTED');
      expect(new Set(outcomes).size).toBeLessThanOrEqual(2);
      expect(Math.max(...settled) - start).toBeLessThan(100);
      expect(pipeline.stats()).toMatchObject({ waiting: 0 });
      const { cause } = await errorOf(() => pipeline.run(jpeg, { signal }));
      expect(cause).toEqual(new Error('enough'));
      expect(await pipeline.run(jpeg)).toEqual(expected);
    });
  });

  it('keeps the AsyncLocalStorage of its caller', async () => {
    const storage = new AsyncLocalStorage<number>();
    await using({}, async (pipeline) => {
      const seen = await Promise.all(
        [1, 2, 3].map((id) =>
          storage.run(id, async () => {
            await pipeline.run(jpeg);
            return storage.getStore();
          }),
        ),
      );
      expect(seen).toEqual([1, 2, 3]);
    });
  });

  it('fails for a broken image, and for no other', async () => {
    await using({}, async (pipeline) => {
      const results = await Promise.allSettled(
        [jpeg, bad, jpeg, join(folder, 'no.jpg')].map((image) => pipeline.run(image)),
      );
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
      expect(results).toMatchObject([
        {},
        { reason: { code: 'GHOSTNET_IMAGE_UNDECODABLE' } },
        {},
        { reason: { code: 'GHOSTNET_FILE_NOT_FOUND' } },
      ]);
    });
  });

  it('refuses a file that is not regular', async () => {
    await using({}, async (pipeline) => {
      expect(await codeOf(() => pipeline.run(folder))).toBe('GHOSTNET_FILE_UNREADABLE');
      expect(await codeOf(() => pipeline.run('/dev/zero'))).toBe('GHOSTNET_FILE_UNREADABLE');
    });
  });

  it('refuses an image with more pixels than maxPixels', async () => {
    await using({ maxPixels: 5000 }, async (pipeline) => {
      const png = await toSharp(gradient(90, 60)).png().toBuffer();
      for (const image of [jpeg, png, gradient(90, 60)]) {
        const { code, message } = await errorOf(() => pipeline.run(image));
        expect(code).toBe('GHOSTNET_IMAGE_TOO_LARGE');
        expect(message).toMatch(/5000.*maxPixels/s);
      }
    });
  });

  it('gives embeddings', async () => {
    const embedder = model.pipeline({ output: 'embed' });
    const [one, other] = await Promise.all([embedder.run(jpeg), embedder.run(path)]);
    expect(one).toBeInstanceOf(Float32Array);
    expect(one).toHaveLength(1280);
    expect(one).toEqual(other);
    expect([...(await model.embed(path)).data]).toEqual([...one]);
    await embedder.close();
  });
});

describe('pipeline.stream()', () => {
  const images = (count: number): ImageInput[] =>
    Array.from({ length: count }, (_, index) => (index % 5 === 3 ? bad : jpeg));

  it('gives results in the order of the images, and errors in their place', async () => {
    await using({}, async (pipeline) => {
      const outcomes = [];
      const items = images(50).map((image, id) => ({ image, id }));
      for await (const { input, result, error } of pipeline.stream(items)) {
        outcomes.push(input.id);
        expect(error?.code).toBe(input.id % 5 === 3 ? 'GHOSTNET_IMAGE_UNDECODABLE' : undefined);
        expect(result).toEqual(input.id % 5 === 3 ? undefined : expected);
      }
      expect(outcomes).toEqual(items.map(({ id }) => id));
    });
  });

  it('gives them as they come if asked to', async () => {
    await using({}, async (pipeline) => {
      const slow = new PassThrough();
      const order = [];
      for await (const { input } of pipeline.stream([slow, jpeg, path], { ordered: false })) {
        order.push(input);
        if (order.length === 2) slow.end(jpeg);
      }
      expect(order.at(-1)).toBe(slow);
    });
  });

  it('hears a signal also while all images are refused', async () => {
    const pipeline = model.pipeline();
    const endless = function* () {
      for (;;) yield undefined as unknown as ImageInput;
    };
    const signal = AbortSignal.timeout(50);
    const start = performance.now();
    const all = async () => {
      for await (const { error } of pipeline.stream(endless(), { signal })) {
        expect(error?.code).toBe('GHOSTNET_INVALID_ARGUMENT');
        if (performance.now() - start > 5000) throw new Error('the signal was not heard');
      }
    };
    expect(await codeOf(all)).toBe('GHOSTNET_ABORTED');
    await pipeline.close();
  });

  it('takes no options but its own', async () => {
    const pipeline = model.pipeline();
    const options = { topK: 1 } as StreamOptions;
    for (const take of [() => pipeline.stream([jpeg], options).next(), () => pipeline.run(jpeg, options)]) {
      expect(await codeOf(take)).toBe('GHOSTNET_INVALID_ARGUMENT');
    }
    await pipeline.close();
  });

  it('reads its source no further ahead than the queue', async () => {
    await using({ maxQueue: 6 }, async (pipeline) => {
      let pulled = 0;
      async function* endless(): AsyncGenerator<Buffer> {
        for (;;) {
          pulled += 1;
          yield await Promise.resolve(jpeg);
        }
      }
      let seen = 0;
      for await (const { result } of pipeline.stream(endless())) {
        expect(result).toEqual(expected);
        seen += 1;
        await delay(2);
        expect(pulled - seen).toBeLessThanOrEqual(7);
        if (seen === 40) break;
      }
    });
  });

  it('stops its source when the loop is left', async () => {
    await using({}, async (pipeline) => {
      let returned = false;
      function* source(): Generator<Buffer> {
        try {
          for (;;) yield jpeg;
        } finally {
          returned = true;
        }
      }
      for await (const { result } of pipeline.stream(source())) {
        expect(result).toEqual(expected);
        break;
      }
      expect(returned).toBe(true);
    });
  });

  it('ends with the error of its source, and with an abort', async () => {
    await using({}, async (pipeline) => {
      const failing = (async function* () {
        yield await Promise.resolve(jpeg);
        throw new Error('disk gone');
      })();
      const seen: unknown[] = [];
      await expect(async () => {
        for await (const { result } of pipeline.stream(failing)) seen.push(result);
      }).rejects.toThrow('disk gone');
      expect(seen).toEqual([expected]);
      const controller = new AbortController();
      setTimeout(() => {
        controller.abort();
      }, 20);
      const aborted = async (): Promise<void> => {
        for await (const { result } of pipeline.stream([never(), jpeg], controller))
          expect(result).toBeDefined();
      };
      expect(await codeOf(aborted)).toBe('GHOSTNET_ABORTED');
    });
  });

  it('finishes what the pipeline had taken when it closes, and ends', async () => {
    const pipeline = model.pipeline({ maxBatch: 2 });
    let count = 0;
    const streaming = (async () => {
      for await (const { result } of pipeline.stream(Array.from({ length: 500 }, () => jpeg))) {
        expect(result).toEqual(expected);
        count += 1;
      }
    })();
    while (count < 3) await delay(1);
    const closing = pipeline.close();
    expect(await codeOf(() => streaming)).toBe('GHOSTNET_CLOSED');
    await closing;
    const { accepted, succeeded } = pipeline.stats();
    expect([count, succeeded]).toEqual([accepted, accepted]);
  });

  it.each(['close', 'destroy'] as const)('ends at %s() while it waits for its source', async (end) => {
    const pipeline = model.pipeline();
    const streaming = codeOf(async () => {
      for await (const { result } of pipeline.stream(Readable.from(waitForever())))
        expect(result).toBeDefined();
    });
    await delay(5);
    await pipeline[end]();
    expect(await streaming).toBe('GHOSTNET_CLOSED');
  });

  it('is aborted as a Node stream that nobody reads', async () => {
    await using({}, async (pipeline) => {
      const controller = new AbortController();
      const duplex = pipeline.duplex(controller);
      const failed = new Promise((resolve) => duplex.once('error', resolve));
      controller.abort();
      expect(await failed).toMatchObject({ code: 'GHOSTNET_ABORTED' });
      expect(duplex.destroyed).toBe(true);
    });
  });

  it('does not hold up other callers', async () => {
    await using({ maxQueue: 64, maxBatch: 1 }, async (pipeline) => {
      let count = 0;
      const streaming = (async () => {
        for await (const { result } of pipeline.stream(images(200)))
          if (result !== undefined || count >= 0) count += 1;
      })();
      while (count < 5) await delay(1);
      const start = count;
      await pipeline.run(jpeg);
      const before = count - start;
      await streaming;
      expect(count).toBe(200);
      expect(before).toBeLessThan(60);
    });
  });

  it.each([null, 5, 'abc', {}])('refuses %s', async (value) => {
    await using({}, async (pipeline) => {
      expect(await codeOf(() => pipeline.stream(value as never).next())).toBe('GHOSTNET_INVALID_ARGUMENT');
    });
  });

  it('works as a Node stream and as a web stream', async () => {
    await using({}, async (pipeline) => {
      const seen: unknown[] = [];
      await flow(Readable.from(images(30)), pipeline.duplex(), async (outcomes) => {
        for await (const { result, error } of outcomes as AsyncIterable<{
          result?: unknown;
          error?: { code: string };
        }>) {
          seen.push(result ?? error?.code);
        }
      });
      expect(seen).toHaveLength(30);
      expect(seen.slice(2, 5)).toEqual([expected, 'GHOSTNET_IMAGE_UNDECODABLE', expected]);
      const web = ReadableStream.from(images(30)).pipeThrough(pipeline.transformStream());
      let count = 0;
      for await (const { input } of web) count += Buffer.isBuffer(input) ? 1 : 0;
      expect(count).toBe(30);
    });
  });

  describe('as web streams', () => {
    const started = async (options?: StreamOptions) => {
      const pipeline = model.pipeline();
      const { readable, writable } = pipeline.transformStream(options);
      const [writer, reader] = [writable.getWriter(), readable.getReader()];
      void writer.closed.catch(() => undefined);
      void reader.closed.catch(() => undefined);
      void writer.write(jpeg);
      expect(await reader.read()).toMatchObject({ done: false, value: { result: expected } });
      return { pipeline, writer, reader };
    };

    /** Writes until a write fails: with an error, or after the stream was errored without one. */
    const failureOfWrites = async (writer: WritableStreamDefaultWriter) => {
      for (let count = 0; count < 1000; ++count) {
        try {
          await writer.write(jpeg);
        } catch (error) {
          return error;
        }
      }
      throw new Error('all writes succeeded');
    };

    it('the writer learns that the reader has cancelled', async () => {
      const { pipeline, writer, reader } = await started();
      await reader.cancel(new Error('enough'));
      expect(await failureOfWrites(writer)).toEqual(new Error('enough'));
      await pipeline.close();
    });

    it('the writer learns it also before anything was read, and while a read waits', async () => {
      for (const reads of [0, 1]) {
        const pipeline = model.pipeline();
        const { readable, writable } = pipeline.transformStream();
        const [writer, reader] = [writable.getWriter(), readable.getReader()];
        void writer.closed.catch(() => undefined);
        const waiting = Array.from({ length: reads }, () => reader.read());
        await delay(1);
        await reader.cancel('over');
        expect(await failureOfWrites(writer)).toBe('over');
        for (const read of waiting) expect(await read).toMatchObject({ done: true });
        await pipeline.close();
      }
    });

    it('the reader gets what aborted the writer', async () => {
      const { pipeline, writer, reader } = await started();
      await writer.abort(new Error('no more'));
      await expect(reader.read()).rejects.toEqual(new Error('no more'));
      await pipeline.close();
    });

    it('a signal ends both, also while nobody reads', async () => {
      const stop = new AbortController();
      const { pipeline, writer, reader } = await started({ signal: stop.signal });
      stop.abort();
      expect(await codeOf(() => reader.read())).toBe('GHOSTNET_ABORTED');
      expect(await failureOfWrites(writer)).toMatchObject({ code: 'GHOSTNET_ABORTED' });
      const over = pipeline.transformStream({ signal: stop.signal });
      expect(await codeOf(() => over.readable.getReader().read())).toBe('GHOSTNET_ABORTED');
      expect(await codeOf(() => over.writable.getWriter().write(jpeg))).toBe('GHOSTNET_ABORTED');
      await pipeline.close();
    });

    it('the end of the pipeline ends both', async () => {
      const { pipeline, writer, reader } = await started();
      await pipeline.destroy();
      expect(await codeOf(() => reader.read())).toBe('GHOSTNET_CLOSED');
      expect(await failureOfWrites(writer)).toMatchObject({ code: 'GHOSTNET_CLOSED' });
    });

    it('does not read far ahead of a reader', async () => {
      const pipeline = model.pipeline({ maxQueue: 4 });
      const { writable } = pipeline.transformStream();
      const writer = writable.getWriter();
      void writer.write(jpeg).catch(() => undefined);
      await delay(1);
      expect(writer.desiredSize).toBe(0);
      await writer.abort();
      await pipeline.close();
    });
  });
});

describe('the end of a pipeline', () => {
  it('close() finishes what waits, and takes no more', async () => {
    const pipeline = model.pipeline();
    expect(pipeline.stats().state).toBe('open');
    const runs = Array.from({ length: 40 }, () => pipeline.run(jpeg));
    const closed = pipeline.close();
    expect(pipeline.stats().state).toBe('closing');
    expect(await codeOf(() => pipeline.run(jpeg))).toBe('GHOSTNET_CLOSED');
    await closed;
    expect(pipeline.stats()).toMatchObject({
      state: 'closed',
      succeeded: 40,
      waiting: 0,
      computing: 0,
    });
    expect(await Promise.all(runs)).toEqual(runs.map(() => expected));
  });

  it('destroy() rejects what waits, with its reason', async () => {
    const pipeline = model.pipeline();
    const runs = Array.from({ length: 40 }, () => pipeline.run(never()));
    const settled = Promise.allSettled(runs);
    await pipeline.destroy(new Error('shutdown'));
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ reason: { code: 'GHOSTNET_CLOSED', cause: new Error('shutdown') } });
    }
    await pipeline.close();
  });

  it('dispose() of the model finishes what waits', async () => {
    const other = await GhostNet.create({ stages: smallStages, numClasses: 4, inputSize: 32, seed: 1 });
    const pipeline = other.pipeline();
    const runs = Array.from({ length: 40 }, () => pipeline.run(jpeg));
    other.dispose();
    expect(await Promise.all(runs)).toEqual(runs.map(() => expected));
    expect(await codeOf(() => pipeline.run(jpeg))).toBe('GHOSTNET_DISPOSED');
    expect(await codeOf(() => other.classify(jpeg))).toBe('GHOSTNET_DISPOSED');
    expect(await codeOf(() => other.pipeline())).toBe('GHOSTNET_DISPOSED');
  });
});

describe('diagnostics channels', () => {
  it('tell of each image, in the context of its caller', async () => {
    const storage = new AsyncLocalStorage<string>();
    const events: [string | undefined, ImageEvent][] = [];
    const listen = (message: unknown): void => {
      events.push([storage.getStore(), message as ImageEvent]);
    };
    subscribe('ghostnet.pipeline.image', listen);
    try {
      await using({}, async (pipeline) => {
        await storage.run('a', () => pipeline.run(jpeg));
        await storage.run('b', () => pipeline.run(bad).catch(() => undefined));
        expect(events).toMatchObject([
          ['a', { pipeline, outcome: 'succeeded', batchSize: 1, scale: 8 }],
          ['b', { pipeline, outcome: 'failed', error: { code: 'GHOSTNET_IMAGE_UNDECODABLE' }, batchSize: 0 }],
        ]);
        const [[, { enqueuedAt, startedAt, readyAt, computedAt, settledAt }] = ['', {} as ImageEvent]] =
          events;
        const times = [enqueuedAt, startedAt, readyAt, computedAt, settledAt];
        expect(times).toEqual([...times].sort((a, b) => a - b));
      });
    } finally {
      unsubscribe('ghostnet.pipeline.image', listen);
    }
  });
});

it('images of one colour are told apart', async () => {
  await using({}, async (pipeline) => {
    const colours = [plain(40, 40, [255, 0, 0]), plain(40, 40, [0, 0, 255])];
    const [red, blue] = await Promise.all(colours.map((image) => pipeline.run(image)));
    expect(red).not.toEqual(blue);
  });
});
