import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';

import { context, diag, DiagLogLevel, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import type { HrTime, Tracer, TracerProvider } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { GhostNet, type ImageEvent } from 'ghostnet';
import { instrument, type InstrumentOptions } from 'ghostnet/opentelemetry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { codeOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';
import { gradient, toSharp } from '../support/pictures.js';
import { gate, StagedPipeline, until } from '../support/staged.js';

const require = createRequire(import.meta.url);
let model: GhostNet;
let jpeg: Buffer;
const bad = Buffer.from('not an image');
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('test');
const events: ImageEvent[] = [];
const listen = (event: unknown): void => {
  events.push(event as ImageEvent);
};
let stop: () => void = () => undefined;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  model = await GhostNet.create({ stages: smallStages, numClasses: 4, inputSize: 32, seed: 1 });
  jpeg = await toSharp(gradient(90, 60)).jpeg().toBuffer();
});
afterAll(() => {
  context.disable();
  model.dispose();
});
beforeEach(() => {
  exporter.reset();
  events.length = 0;
  subscribe('ghostnet.pipeline.image', listen);
});
afterEach(() => {
  unsubscribe('ghostnet.pipeline.image', listen);
  stop();
  vi.restoreAllMocks();
});

function start(options: InstrumentOptions = {}): void {
  stop = instrument({ tracerProvider: provider, ...options });
}

const ms = ([seconds, nanoseconds]: HrTime): number => seconds * 1000 + nanoseconds / 1e6;
const named = (name: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.name === name);
const childrenOf = (parent: ReadableSpan): ReadableSpan[] =>
  exporter
    .getFinishedSpans()
    .filter((span) => span.parentSpanContext?.spanId === parent.spanContext().spanId);

/** The only span of an image. */
function imageSpan(): ReadableSpan {
  const [span, ...others] = named('ghostnet.image');
  expect(others).toEqual([]);
  if (span === undefined) throw new Error('There is no span of an image');
  return span;
}

/** The stages of an image: name, start and end in milliseconds of performance.now(), and the type of its error. */
function stagesOf(image: ReadableSpan): [string, number, number, unknown][] {
  return childrenOf(image).map(({ name, startTime, endTime, attributes, status }) => {
    expect(status.code === SpanStatusCode.ERROR).toBe('error.type' in attributes);
    const [from, to] = [startTime, endTime].map((time) => ms(time) - performance.timeOrigin);
    return [name, from ?? NaN, to ?? NaN, attributes['error.type']];
  });
}

describe('the spans of an image', () => {
  it('are one for the image and one for each stage, with their times', async () => {
    start();
    const pipeline = model.pipeline();
    await pipeline.run(jpeg);
    const image = imageSpan();
    expect(image.kind).toBe(SpanKind.INTERNAL);
    expect(image.instrumentationScope).toMatchObject({ name: 'ghostnet', version: '0.1.0' });
    expect(image.attributes).toEqual({ 'ghostnet.image.outcome': 'succeeded' });
    expect(image.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(image.parentSpanContext).toBeUndefined();
    const [{ enqueuedAt, startedAt, readyAt, computedAt, settledAt, decodeMs } = {} as ImageEvent] = events;
    const expected: [string, number, number][] = [
      ['ghostnet.queue', enqueuedAt, startedAt],
      ['ghostnet.decode', startedAt, readyAt],
      ['ghostnet.wait', readyAt, computedAt],
      ['ghostnet.compute', computedAt, settledAt],
    ];
    const stages = stagesOf(image);
    expect(stages.map(([name, , , error]) => [name, error])).toEqual(
      expected.map(([name]) => [name, undefined]),
    );
    for (const [index, [, from, to]] of expected.entries()) {
      expect(stages[index]?.[1]).toBeCloseTo(from, 2);
      expect(stages[index]?.[2]).toBeCloseTo(to, 2);
    }
    expect(ms(image.startTime)).toBeCloseTo(performance.timeOrigin + enqueuedAt, 2);
    expect(ms(image.endTime)).toBeCloseTo(performance.timeOrigin + settledAt, 2);
    expect(Math.abs(ms(image.endTime) - Date.now())).toBeLessThan(1000);
    expect(childrenOf(image).map(({ attributes }) => attributes)).toEqual([
      {},
      { 'ghostnet.decode.milliseconds': decodeMs, 'ghostnet.decode.scale': 1 },
      {},
      { 'ghostnet.batch.size': 1 },
    ]);
    await pipeline.close();
  });

  it('belong to the span that was active when run() was called', async () => {
    start();
    const pipeline = model.pipeline();
    const requests = await Promise.all(
      ['one', 'other', 'third'].map((name) =>
        tracer.startActiveSpan(name, async (span) => {
          await pipeline.run(jpeg);
          span.end();
          return span.spanContext();
        }),
      ),
    );
    const images = named('ghostnet.image');
    expect(images.map((span) => span.parentSpanContext?.spanId).sort()).toEqual(
      requests.map(({ spanId }) => spanId).sort(),
    );
    for (const { traceId, spanId } of requests) {
      const image = images.find((span) => span.parentSpanContext?.spanId === spanId);
      expect(image?.spanContext().traceId).toBe(traceId);
      expect(image === undefined ? [] : childrenOf(image)).toHaveLength(4);
    }
    await pipeline.close();
  });

  it('belong to the span of a stream, and of a call for images', async () => {
    start();
    const pipeline = model.pipeline();
    const parents = await tracer.startActiveSpan('stream', async (span) => {
      for await (const { result } of pipeline.stream([jpeg, jpeg])) expect(result).toHaveLength(4);
      await model.classify(jpeg);
      span.end();
      return [1, 2, 3].map(() => span.spanContext().spanId);
    });
    expect(named('ghostnet.image').map((span) => span.parentSpanContext?.spanId)).toEqual(parents);
    await pipeline.close();
  });

  it('tell of a scaled decoding and of the batch', async () => {
    start();
    const pipeline = new StagedPipeline({ maxBatch: 2, maxDelayMs: 5000 }, () => Promise.resolve());
    await Promise.all([pipeline.run(), pipeline.run()]);
    for (const image of named('ghostnet.image')) {
      const [, decode, , compute] = childrenOf(image);
      expect(decode?.attributes).toEqual({ 'ghostnet.decode.milliseconds': 2, 'ghostnet.decode.scale': 0.5 });
      expect(compute?.attributes).toEqual({ 'ghostnet.batch.size': 2 });
    }
  });
});

describe('the spans of an image that fails', () => {
  const check = (outcome: string, code: string, lastStage: string): ReadableSpan => {
    const image = imageSpan();
    expect(image.attributes).toEqual({ 'ghostnet.image.outcome': outcome, 'error.type': code });
    expect(image.status.code).toBe(SpanStatusCode.ERROR);
    expect(image.status.message).toBe((events[0]?.error as Error).message);
    const [event, ...others] = image.events;
    expect(others).toEqual([]);
    expect(event?.name).toBe('exception');
    expect(event?.attributes).toMatchObject({
      'exception.type': code,
      'exception.message': image.status.message,
    });
    const stages = stagesOf(image);
    expect(stages.at(-1)?.[0]).toBe(lastStage);
    expect(stages.at(-1)?.[2]).toBeCloseTo(events[0]?.settledAt ?? NaN, 2);
    expect(stages.map(([, , , error]) => error)).toEqual([...stages.slice(1).map(() => undefined), code]);
    for (const [index, [, from]] of stages.entries())
      if (index > 0) expect(stages[index - 1]?.[2]).toBeCloseTo(from, 2);
    return image;
  };

  it('tell where a broken image failed', async () => {
    start();
    const pipeline = model.pipeline();
    expect(await codeOf(() => pipeline.run(bad))).toBe('GHOSTNET_IMAGE_UNDECODABLE');
    check('failed', 'GHOSTNET_IMAGE_UNDECODABLE', 'ghostnet.decode');
    await pipeline.close();
  });

  it('tell of an abort and of a timeout', async () => {
    start();
    const pipeline = model.pipeline({ timeoutMs: 20 });
    const controller = new AbortController();
    const aborted = codeOf(() => pipeline.run(jpeg, { signal: controller.signal }));
    controller.abort();
    expect(await aborted).toBe('GHOSTNET_ABORTED');
    check('aborted', 'GHOSTNET_ABORTED', 'ghostnet.decode');
    exporter.reset();
    events.length = 0;
    expect(await codeOf(() => pipeline.run(new PassThrough()))).toBe('GHOSTNET_TIMEOUT');
    check('timedOut', 'GHOSTNET_TIMEOUT', 'ghostnet.decode');
    await pipeline.close();
  });

  it('tell in which queue an image timed out', async () => {
    start();
    const { passed, open } = gate();
    const pipeline = new StagedPipeline({ maxBatch: 1, timeoutMs: 100 }, () => passed);
    const runs = Array.from({ length: 40 }, () => pipeline.run().catch(() => undefined));
    await until(() => pipeline.stats().timedOut === 38);
    const last = named('ghostnet.image').map((image) => stagesOf(image).at(-1));
    expect(new Set(last.map((stage) => stage?.[3]))).toEqual(new Set(['GHOSTNET_TIMEOUT']));
    expect(last.map((stage) => stage?.[0])).toEqual(
      expect.arrayContaining(['ghostnet.queue', 'ghostnet.wait']),
    );
    open();
    await Promise.all(runs);
  });

  it('tell of a batch that could not be computed', async () => {
    start();
    const pipeline = new StagedPipeline({}, () => Promise.reject(new RangeError('the engine failed')));
    await expect(pipeline.run()).rejects.toThrow('the engine failed');
    check('failed', 'RangeError', 'ghostnet.compute');
  });

  it('are a moment if the queue was full', async () => {
    start();
    const { passed, open } = gate();
    const pipeline = new StagedPipeline({ maxQueue: 1 }, () => passed);
    await tracer.startActiveSpan('request', async (span) => {
      const taken = pipeline.run();
      expect(await codeOf(() => pipeline.run())).toBe('GHOSTNET_QUEUE_FULL');
      const image = imageSpan();
      expect(image.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
      expect(image.attributes).toEqual({
        'ghostnet.image.outcome': 'rejected',
        'error.type': 'GHOSTNET_QUEUE_FULL',
      });
      expect(image.status.code).toBe(SpanStatusCode.ERROR);
      expect(ms(image.duration)).toBe(0);
      expect(Math.abs(ms(image.startTime) - Date.now())).toBeLessThan(1000);
      expect(childrenOf(image)).toEqual([]);
      open();
      await taken;
      span.end();
    });
  });
});

describe('instrument()', () => {
  it('ends when its function is called', async () => {
    unsubscribe('ghostnet.pipeline.image', listen);
    const names = ['ghostnet.pipeline.image', 'ghostnet.pipeline.rejected'];
    const listened = (): boolean[] => names.map((name) => channel(name).hasSubscribers);
    expect(listened()).toEqual([false, false]);
    start();
    expect(listened()).toEqual([true, true]);
    stop();
    expect(listened()).toEqual([false, false]);
    const pipeline = model.pipeline();
    await pipeline.run(jpeg);
    expect(exporter.getFinishedSpans()).toEqual([]);
    await pipeline.close();
  });

  it('uses the global provider by default, also one that comes later or of another copy of the API', async () => {
    const name = '@opentelemetry/api';
    for (const file of Object.keys(require.cache))
      if (file.includes(name)) Reflect.deleteProperty(require.cache, file);
    const copy = require(name) as typeof import('@opentelemetry/api');
    expect(copy.trace).not.toBe(trace);
    const pipeline = model.pipeline();
    stop = instrument();
    await pipeline.run(jpeg);
    expect(exporter.getFinishedSpans()).toEqual([]);
    for (const api of [trace, copy.trace]) {
      exporter.reset();
      expect(api.setGlobalTracerProvider(provider)).toBe(true);
      try {
        await pipeline.run(jpeg);
        expect(stagesOf(imageSpan())).toHaveLength(4);
      } finally {
        api.disable();
      }
    }
    await pipeline.close();
  });

  it('creates no stages in a trace that is not sampled', async () => {
    const started: string[] = [];
    const counting: TracerProvider = {
      getTracer: (...args) => {
        const real: Tracer = provider.getTracer(...args);
        return {
          startSpan: (name, ...rest) => {
            started.push(name);
            return real.startSpan(name, ...rest);
          },
          startActiveSpan: () => {
            throw new Error('not used');
          },
        };
      },
    };
    start({ tracerProvider: counting });
    const pipeline = model.pipeline();
    const unsampled = trace.wrapSpanContext({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: TraceFlags.NONE,
    });
    await context.with(trace.setSpan(context.active(), unsampled), () => pipeline.run(jpeg));
    expect(started).toEqual(['ghostnet.image']);
    expect(exporter.getFinishedSpans()).toEqual([]);
    await pipeline.close();
  });

  it('adds attributes by pipeline', async () => {
    const [a, b] = [model.pipeline(), model.pipeline({ maxQueue: 1 })];
    const names = new Map<object, string>([
      [a, 'a'],
      [b, 'b'],
    ]);
    start({ attributes: (pipeline) => ({ 'app.model': names.get(pipeline) ?? 'none' }) });
    await a.run(jpeg);
    await Promise.all([b.run(jpeg), b.run(jpeg).catch(() => undefined)]);
    await model.classify(jpeg);
    expect(named('ghostnet.image').map(({ attributes }) => attributes['app.model'])).toEqual([
      'a',
      'b',
      'b',
      'none',
    ]);
    await Promise.all([a.close(), b.close()]);
  });

  it('reports its own errors to the diagnostics of OpenTelemetry, and nobody else', async () => {
    const error = vi.fn();
    const silent = (): void => undefined;
    const logger = { error, warn: silent, info: silent, debug: silent, verbose: silent };
    diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR });
    try {
      start({
        attributes: () => {
          throw new Error('no attributes');
        },
      });
      const pipeline = model.pipeline();
      expect(await pipeline.run(jpeg)).toHaveLength(4);
      expect(error).toHaveBeenCalledWith(
        expect.stringContaining('ghostnet/opentelemetry'),
        new Error('no attributes'),
      );
      await pipeline.close();
    } finally {
      diag.disable();
    }
  });

  it('follows the clock of the system if that was set', async () => {
    const hour = 3_600_000;
    const now = Date.now.bind(Date);
    vi.spyOn(Date, 'now').mockImplementation(() => now() + hour);
    start();
    const pipeline = model.pipeline();
    await pipeline.run(jpeg);
    const image = imageSpan();
    expect(Math.abs(ms(image.endTime) - now() - hour)).toBeLessThan(1000);
    const last = childrenOf(image).at(-1);
    expect(last?.endTime).toEqual(image.endTime);
    await pipeline.close();
  });

  it.each([
    ['null', null],
    ['a tracerProvider without getTracer()', { tracerProvider: {} }],
    ['null for the tracerProvider', { tracerProvider: null }],
    ['attributes that are no function', { attributes: {} }],
  ])('refuses %s', async (_, options) => {
    expect(await codeOf(() => instrument(options as never))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});
