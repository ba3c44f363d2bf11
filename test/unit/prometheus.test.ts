import { setTimeout as delay } from 'node:timers/promises';

import { GhostNet, type ImageInput, type Pipeline, type PipelineStats } from 'ghostnet';
import { registerMetrics } from 'ghostnet/prometheus';
import { Counter, register as defaultRegister, Registry, type OpenMetricsContentType } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf, errorOf } from '../support/errors.js';
import { parseExposition, type Exposition } from '../support/exposition.js';
import { smallStages } from '../support/models.js';
import { gradient, toSharp } from '../support/pictures.js';
import { gate, StagedPipeline, until } from '../support/staged.js';

let model: GhostNet;
let jpeg: Buffer;
const bad = Buffer.from('not an image');

beforeAll(async () => {
  model = await GhostNet.create({ stages: smallStages, numClasses: 4, inputSize: 32, seed: 1 });
  jpeg = await toSharp(gradient(90, 60)).jpeg().toBuffer();
});
afterAll(() => {
  model.dispose();
});

const scrape = async (register: Registry): Promise<Exposition> => parseExposition(await register.metrics());

/** Values of the model m, version 1, by name and further labels. */
async function valuesOf(register: Registry): Promise<(name: string, labels?: string) => number | undefined> {
  const { values } = await scrape(register);
  return (name, labels = '') => values.get(`${name}{model="m",version="1"${labels}}`);
}

const outcome = (pipeline: Pipeline<unknown>, image: ImageInput, signal?: AbortSignal): Promise<unknown> =>
  pipeline.run(image, signal === undefined ? {} : { signal }).catch((error: unknown) => error);

describe('the metrics of a pipeline', () => {
  it('have the names, types and labels of Triton, and a few of their own', async () => {
    const register = new Registry();
    registerMetrics(model.pipeline(), { model: 'm', register });
    const { types, help, values } = await scrape(register);
    expect(Object.fromEntries(types)).toEqual({
      nv_inference_request_success: 'counter',
      nv_inference_request_failure: 'counter',
      nv_inference_count: 'counter',
      nv_inference_exec_count: 'counter',
      nv_inference_request_duration_us: 'counter',
      nv_inference_queue_duration_us: 'counter',
      nv_inference_compute_input_duration_us: 'counter',
      nv_inference_compute_infer_duration_us: 'counter',
      nv_inference_compute_output_duration_us: 'counter',
      nv_inference_pending_request_count: 'gauge',
      ghostnet_queue_rejections_total: 'counter',
      ghostnet_timeouts_total: 'counter',
      ghostnet_decode_seconds_total: 'counter',
      ghostnet_batch_size: 'histogram',
      ghostnet_images: 'gauge',
    });
    expect([...help.keys()]).toEqual([...types.keys()]);
    const labelsOf = (name: string): string[] =>
      [...values.keys()]
        .filter((key) => key.startsWith(`${name}{`))
        .map((key) => key.replace(`${name}{model="m",version="1"`, '').replace(/^,|}$/g, ''));
    for (const name of types.keys()) {
      const expected: Record<string, string[]> = {
        nv_inference_request_failure: ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'].map(
          (reason) => `reason="${reason}"`,
        ),
        ghostnet_images: ['blocked', 'waiting', 'decoding', 'ready', 'computing'].map(
          (stage) => `stage="${stage}"`,
        ),
        ghostnet_batch_size: [],
      };
      expect(labelsOf(name), name).toEqual(expected[name] ?? ['']);
    }
    expect(labelsOf('ghostnet_batch_size_bucket')).toEqual(
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, '+Inf'].map((le) => `le="${le}"`),
    );
    expect(new Set(values.values())).toEqual(new Set([0]));
  });

  it('count every outcome under its name', async () => {
    const register = new Registry();
    const pipeline = model.pipeline({ timeoutMs: 5000, maxQueue: 8 });
    registerMetrics(pipeline, { model: 'm', register });
    for (let index = 0; index < 5; ++index) await pipeline.run(jpeg);
    await Promise.all([bad, bad, bad].map((image) => outcome(pipeline, image)));
    const controller = new AbortController();
    const aborted = [1, 2].map(() => outcome(pipeline, jpeg, controller.signal));
    controller.abort();
    await Promise.all(aborted);
    const crowd = Array.from({ length: 12 }, () => outcome(pipeline, jpeg));
    const rejected = (await Promise.all(crowd)).filter((one) => !Array.isArray(one)).length;
    const value = await valuesOf(register);
    const failures = (reason: string): number | undefined =>
      value('nv_inference_request_failure', `,reason="${reason}"`);
    expect(rejected).toBeGreaterThan(0);
    expect({
      success: value('nv_inference_request_success'),
      failures: ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'].map(failures),
      rejections: value('ghostnet_queue_rejections_total'),
      images: value('nv_inference_count'),
      batches: value('nv_inference_exec_count'),
    }).toEqual({
      success: 17 - rejected,
      failures: [0, 2, 0, 3],
      rejections: rejected,
      images: 17 - rejected,
      batches: pipeline.stats().batches,
    });
    await pipeline.close();
  });

  it('divide the time of an image into queue, input and computation', async () => {
    const register = new Registry();
    const pipeline = model.pipeline();
    registerMetrics(pipeline, { model: 'm', register });
    await Promise.all(Array.from({ length: 40 }, () => pipeline.run(jpeg)));
    const value = await valuesOf(register);
    const microseconds = (part: string): number => value(`nv_inference_${part}_duration_us`) ?? NaN;
    const parts = ['queue', 'compute_input', 'compute_infer', 'compute_output'].map(microseconds);
    expect(Math.min(...parts.slice(0, 3))).toBeGreaterThan(0);
    expect(parts.every(Number.isInteger)).toBe(true);
    const whole = microseconds('request');
    expect(Math.abs(parts.reduce((sum, part) => sum + part) - whole)).toBeLessThan(5);
    const { totalMs, decodeMs } = pipeline.stats();
    expect(whole / 1000 / 40 / totalMs.mean).toBeCloseTo(1, 1);
    expect(value('ghostnet_decode_seconds_total')).toBeCloseTo((decodeMs.mean * 40) / 1000, 3);
    await pipeline.close();
  });

  it('count the time of a batch for each of its images, as Triton does', async () => {
    const register = new Registry();
    const pipeline = new StagedPipeline({ maxBatch: 4, maxDelayMs: 5000 }, () => delay(60));
    registerMetrics(pipeline, { model: 'm', register });
    await Promise.all([1, 2, 3, 4].map(() => pipeline.run()));
    const value = await valuesOf(register);
    const infer = value('nv_inference_compute_infer_duration_us') ?? NaN;
    const { sum } = pipeline.stats().computeMs;
    expect(sum).toBeGreaterThan(59);
    expect(infer / 1000 / sum).toBeCloseTo(4, 1);
    expect(value('nv_inference_exec_count')).toBe(1);
    expect(value('ghostnet_decode_seconds_total')).toBeCloseTo(0.008, 6);
  });

  it('have a histogram of the sizes of batches', async () => {
    const register = new Registry();
    const pipeline = new StagedPipeline({ maxBatch: 100, maxDelayMs: 5 }, () => Promise.resolve());
    registerMetrics(pipeline, { model: 'm', register });
    for (const size of [1, 3, 4]) await Promise.all(Array.from({ length: size }, () => pipeline.run()));
    const { batchSizes } = pipeline.stats();
    const sizes = Object.entries(batchSizes).flatMap(([size, count]) =>
      Array<number>(count).fill(Number(size)),
    );
    const value = await valuesOf(register);
    for (const bound of [1, 2, 4, 8, 1024, Infinity]) {
      const le = bound === Infinity ? '+Inf' : bound;
      const below = sizes.filter((size) => size <= bound).length;
      expect(value('ghostnet_batch_size_bucket', `,le="${le}"`), `le ${le}`).toBe(below);
    }
    expect(value('ghostnet_batch_size_count')).toBe(sizes.length);
    expect(value('ghostnet_batch_size_sum')).toBe(8);
    expect(value('nv_inference_count')).toBe(8);
  });

  it('tell where images are now', async () => {
    const register = new Registry();
    const { passed, open } = gate();
    const pipeline = new StagedPipeline({ maxBatch: 2, maxQueue: 3, whenFull: 'wait' }, () => passed);
    registerMetrics(pipeline, { model: 'm', register });
    const runs = Array.from({ length: 9 }, () => pipeline.run());
    await until(() => pipeline.stats().computing > 0);
    const { waiting, blocked } = pipeline.stats();
    const value = await valuesOf(register);
    const stages = ['blocked', 'waiting', 'decoding', 'ready', 'computing'].map(
      (stage) => value('ghostnet_images', `,stage="${stage}"`) ?? NaN,
    );
    expect(stages.reduce((sum, images) => sum + images)).toBe(9);
    expect(stages[4]).toBeGreaterThan(0);
    expect(stages[0]).toBe(blocked);
    expect(value('nv_inference_pending_request_count')).toBe(waiting + blocked);
    expect(value('nv_inference_pending_request_count')).toBe(9 - (stages[4] ?? NaN));
    open();
    await Promise.all(runs);
    const after = await valuesOf(register);
    expect(after('nv_inference_pending_request_count')).toBe(0);
    expect(after('ghostnet_images', ',stage="computing"')).toBe(0);
  });

  it('tell a failure of the engine from that of an image', async () => {
    const register = new Registry();
    const pipeline = new StagedPipeline({ maxBatch: 3, maxDelayMs: 5000 }, () =>
      Promise.reject(new Error('the engine failed')),
    );
    registerMetrics(pipeline, { model: 'm', register });
    const settled = await Promise.allSettled([1, 2, 3].map(() => pipeline.run()));
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(pipeline.stats()).toMatchObject({ failed: 3, computeFailed: 3 });
    const value = await valuesOf(register);
    expect(value('nv_inference_request_failure', ',reason="BACKEND"')).toBe(3);
    expect(value('nv_inference_request_failure', ',reason="OTHER"')).toBe(0);
    expect(value('nv_inference_request_success')).toBe(0);
  });

  it('count timeouts as Triton does, and by their own name', async () => {
    const register = new Registry();
    const { passed, open } = gate();
    const pipeline = new StagedPipeline({ maxBatch: 1, timeoutMs: 30 }, () => passed);
    registerMetrics(pipeline, { model: 'm', register });
    const runs = Promise.allSettled(Array.from({ length: 8 }, () => pipeline.run()));
    await until(() => pipeline.stats().timedOut > 0);
    open();
    await runs;
    const { timedOut } = pipeline.stats();
    expect(timedOut).toBeGreaterThan(0);
    const value = await valuesOf(register);
    expect(value('nv_inference_request_failure', ',reason="REJECTED"')).toBe(timedOut);
    expect(value('ghostnet_timeouts_total')).toBe(timedOut);
  });
});

describe('a registry', () => {
  it('holds several models and versions, and escapes their names', async () => {
    const register = new Registry();
    const [a, b] = [model.pipeline(), model.pipeline()];
    registerMetrics(a, { model: 'cats "and" dogs\\\n', register });
    registerMetrics(b, { model: 'm', version: '2', register });
    await Promise.all([a.run(jpeg), a.run(jpeg), b.run(jpeg)]);
    const { values } = await scrape(register);
    const name = 'nv_inference_request_success';
    expect(values.get(`${name}{model="cats \\"and\\" dogs\\\\\\n",version="1"}`)).toBe(2);
    expect(values.get(`${name}{model="m",version="2"}`)).toBe(1);
    await Promise.all([a.close(), b.close()]);
  });

  it('adds up pipelines of one model, and no counter decreases when one of them closes', async () => {
    const register = new Registry();
    const [a, b] = [model.pipeline(), model.pipeline()];
    for (const pipeline of [a, b]) registerMetrics(pipeline, { model: 'm', register });
    await Promise.all([a.run(jpeg), a.run(jpeg), b.run(jpeg)]);
    const before = await scrape(register);
    await a.close();
    const between = await scrape(register);
    await b.run(jpeg);
    const after = await scrape(register);
    expect([...between.values.keys()]).toEqual([...before.values.keys()]);
    for (const [key, value] of before.values) {
      if (!key.startsWith('ghostnet_images') && !key.startsWith('nv_inference_pending'))
        expect(between.values.get(key), key).toBe(value);
    }
    const success = 'nv_inference_request_success{model="m",version="1"}';
    expect([before, between, after].map(({ values }) => values.get(success))).toEqual([3, 3, 4]);
    await b.close();
  });

  it('keeps the counts of all that have gone, and the levels of none', async () => {
    const register = new Registry();
    const { passed, open } = gate();
    const busy = new StagedPipeline({}, () => passed);
    const unregister = registerMetrics(busy, { model: 'm', register });
    const others = [1, 2, 3].map(() => model.pipeline());
    for (const pipeline of others) registerMetrics(pipeline, { model: 'm', register });
    const run = busy.run();
    await until(() => busy.stats().computing === 1);
    expect((await valuesOf(register))('ghostnet_images', ',stage="computing"')).toBe(1);
    unregister();
    expect((await valuesOf(register))('ghostnet_images', ',stage="computing"')).toBe(0);
    for (const [count, pipeline] of others.entries()) {
      expect((await valuesOf(register))('nv_inference_request_success')).toBe(count);
      await pipeline.run(jpeg);
      if (count < 2) await pipeline.close();
    }
    expect((await valuesOf(register))('nv_inference_request_success')).toBe(3);
    open();
    await run;
    await others[2]?.close();
  });

  it('keeps the counts of a pipeline that another one of the model replaces', async () => {
    const register = new Registry();
    const old = model.pipeline();
    registerMetrics(old, { model: 'm', register });
    await old.run(jpeg);
    const replacement = model.pipeline();
    const unregister = registerMetrics(replacement, { model: 'm', register });
    await old.close();
    await replacement.run(jpeg);
    expect((await valuesOf(register))('nv_inference_request_success')).toBe(2);
    unregister();
    expect(register.getMetricsAsArray()).toEqual([]);
    await replacement.close();
  });

  it('loses the metrics of a pipeline that has closed, not of one that is closing', async () => {
    const register = new Registry();
    const { passed, open } = gate();
    const pipeline = new StagedPipeline({}, () => passed);
    registerMetrics(pipeline, { model: 'm', register });
    const other = model.pipeline();
    registerMetrics(other, { model: 'other', register });
    const run = pipeline.run();
    const closed = pipeline.close();
    await until(() => pipeline.stats().computing > 0);
    expect(pipeline.stats().state).toBe('closing');
    expect((await valuesOf(register))('ghostnet_images', ',stage="computing"')).toBe(1);
    open();
    await Promise.all([run, closed]);
    expect(pipeline.stats().state).toBe('closed');
    const { values } = await scrape(register);
    expect([...values.keys()].filter((key) => key.includes('model="m"'))).toEqual([]);
    expect(values.get('nv_inference_request_success{model="other",version="1"}')).toBe(0);
    await other.close();
    await scrape(register);
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('loses them when they are unregistered, once', async () => {
    const register = new Registry();
    const pipeline = model.pipeline();
    const options = { model: 'm', register };
    const unregister = registerMetrics(pipeline, options);
    await pipeline.run(jpeg);
    unregister();
    expect(await register.metrics()).toBe('\n');
    registerMetrics(pipeline, options);
    unregister();
    expect((await valuesOf(register))('nv_inference_request_success')).toBe(1);
    await pipeline.close();
  });

  it('may be cleared, reset, merged, or read as JSON', async () => {
    const register = new Registry();
    const [a, b] = [model.pipeline(), model.pipeline()];
    registerMetrics(a, { model: 'm', register });
    await a.run(jpeg);
    register.resetMetrics();
    expect((await valuesOf(register))('nv_inference_request_success')).toBe(1);
    expect((await valuesOf(Registry.merge([register])))('nv_inference_request_success')).toBe(1);
    expect(await register.getMetricsAsJSON()).toContainEqual(
      expect.objectContaining({
        name: 'nv_inference_request_success',
        type: 'counter',
        values: [{ labels: { model: 'm', version: '1' }, value: 1 }],
      }),
    );
    register.clear();
    registerMetrics(b, { model: 'm', register });
    expect((await valuesOf(register))('nv_inference_request_success')).toBe(1);
    await Promise.all([a.close(), b.close()]);
  });

  it('may have the format of OpenMetrics', async () => {
    const register = new Registry<OpenMetricsContentType>();
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const pipeline = model.pipeline();
    const unregister = registerMetrics(pipeline, { model: 'm', register });
    await pipeline.run(jpeg);
    await register.metrics();
    const lines = (await register.metrics()).split('\n');
    expect(lines).toContain('nv_inference_count_total{model="m",version="1"} 1');
    expect(lines).toContain('# TYPE ghostnet_timeouts counter');
    expect(lines).toContain('ghostnet_timeouts_total{model="m",version="1"} 0');
    expect(lines).toContain('ghostnet_batch_size_count{model="m",version="1"} 1');
    expect(lines.at(-2)).toBe('# EOF');
    unregister();
    const again = registerMetrics(pipeline, { model: 'm', register });
    expect((await register.metrics()).split('\n')).toEqual(lines);
    again();
    expect(register.getMetricsAsArray()).toEqual([]);
    await pipeline.close();
  });

  it("is prom-client's own by default", async () => {
    const pipeline = model.pipeline();
    const unregister = registerMetrics(pipeline, { model: 'm' });
    expect((await valuesOf(defaultRegister))('nv_inference_request_success')).toBe(0);
    unregister();
    expect(defaultRegister.getMetricsAsArray()).toEqual([]);
  });

  it('sees all metrics at one moment, and asks a pipeline once', async () => {
    const register = new Registry();
    const pipeline = model.pipeline();
    let asked = 0;
    const source = {
      stats: (): PipelineStats => {
        asked += 1;
        return { ...pipeline.stats(), succeeded: asked, batches: asked };
      },
    };
    registerMetrics(source, { model: 'm', register });
    for (const round of [1, 2, 3]) {
      const value = await valuesOf(register);
      expect(value('nv_inference_request_success')).toBe(round);
      expect(value('nv_inference_exec_count')).toBe(round);
    }
    await pipeline.close();
  });

  it('is left as it is if it has another metric of the same name', async () => {
    const register = new Registry();
    const other = new Counter({ name: 'ghostnet_timeouts_total', help: 'another', registers: [register] });
    const pipeline = model.pipeline();
    const { code, message } = await errorOf(() => registerMetrics(pipeline, { model: 'm', register }));
    expect(code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(message).toContain('ghostnet_timeouts_total');
    expect(register.getMetricsAsArray()).toEqual([other]);
  });
});

describe('registerMetrics()', () => {
  it('refuses a pipeline that is registered already', async () => {
    const register = new Registry();
    const pipeline = model.pipeline();
    registerMetrics(pipeline, { model: 'm', register });
    const again = await errorOf(() => registerMetrics(pipeline, { model: 'm', register }));
    expect(again.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(again.message).toMatch(/registered already.*model m.*version 1/s);
    registerMetrics(pipeline, { model: 'm', version: '2', register });
  });

  it.each([
    ['no pipeline', [undefined, { model: 'm' }]],
    ['an object without stats()', [{}, { model: 'm' }]],
    ['no options', [{ stats: () => ({}) }]],
    ['no model', [{ stats: () => ({}) }, {}]],
    ['an empty model', [{ stats: () => ({}) }, { model: '' }]],
    ['a version that is a number', [{ stats: () => ({}) }, { model: 'm', version: 1 }]],
    ['a register that is none', [{ stats: () => ({}) }, { model: 'm', register: {} }]],
    ['null for the register', [{ stats: () => ({}) }, { model: 'm', register: null }]],
  ])('refuses %s', async (_, args) => {
    const call = registerMetrics as unknown as (...args: readonly unknown[]) => void;
    expect(
      await codeOf(() => {
        call(...args);
      }),
    ).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});
