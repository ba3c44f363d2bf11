import { getEventListeners } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GhostNet, ghostModule, Tensor } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { errorOf } from '../support/errors.js';
import { hexOf, smallStages } from '../support/models.js';
import { noise } from '../support/numbers.js';
import { gradient } from '../support/pictures.js';

let model: GhostNet;
beforeAll(async () => {
  model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 10, seed: 1, threads: 1 });
});
afterAll(() => {
  model.dispose();
});

const slow = Tensor.from(noise(8 * 3 * 224 * 224), [8, 3, 224, 224]);
const quick = Tensor.from(noise(3 * 32 * 32), [1, 3, 32, 32]);

/** Occupies the executor; `ended` tells whether it is free again. */
function occupy() {
  const occupied = { ended: false, run: Promise.resolve() };
  occupied.run = model.forward(slow).then(() => {
    occupied.ended = true;
  });
  return occupied;
}

describe('an AbortSignal', () => {
  it('drops the call that waits, at once, and no other', async () => {
    const expected = hexOf((await model.forward(quick)).data);
    const occupied = occupy();
    const controller = new AbortController();
    const before = model.forward(quick);
    const dropped = errorOf(() => model.forward(quick, { signal: controller.signal }));
    const after = model.embed(quick);
    await new Promise(setImmediate);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);

    const reason = new Error('no longer needed');
    controller.abort(reason);
    const error = await dropped;
    expect(error.code).toBe('GHOSTNET_ABORTED');
    expect(error.cause).toBe(reason);
    expect(occupied.ended).toBe(false);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);

    expect(hexOf((await before).data)).toBe(expected);
    expect((await after).shape).toEqual([1, 1280]);
    await occupied.run;
  });

  it('drops all calls that it was given to, however many', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on('warning', warned);
    const occupied = occupy();
    const controller = new AbortController();
    const { signal } = controller;
    const dropped = Array.from({ length: 20 }, () => errorOf(() => model.forward(quick, { signal })));
    await new Promise(setImmediate);
    controller.abort();
    for (const error of await Promise.all(dropped)) {
      expect(error.code).toBe('GHOSTNET_ABORTED');
      expect(error.cause).toBe(signal.reason);
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await occupied.run;
    process.off('warning', warned);
    // Node mistakes many listeners of one signal for a leak.
    expect(warnings).toEqual([]);
  });

  it('may be one that fires after a time', async () => {
    const occupied = occupy();
    const error = await errorOf(() => model.forward(quick, { signal: AbortSignal.timeout(5) }));
    expect(error.code).toBe('GHOSTNET_ABORTED');
    expect(error.cause).toMatchObject({ name: 'TimeoutError' });
    await occupied.run;
  });

  it('that has fired already drops every kind of call before it begins', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ghostnet-abort-'));
    const signal = AbortSignal.abort('a reason that is no error');
    const photo = gradient(40, 40);
    const weights = {
      primary_weight: Tensor.empty('float32', [1, 3, 1, 1]),
      primary_bias: Tensor.empty('float32', [1]),
      cheap_weight: Tensor.empty('float32', [1, 1, 1, 1]),
      cheap_bias: Tensor.empty('float32', [1]),
    };
    const calls: Record<string, () => unknown> = {
      forward: () => model.forward(quick, { signal }),
      embed: () => model.embed(quick, { signal }),
      classify: () => model.classify(photo, { signal }),
      classifyMany: () => model.classify([photo, photo, photo], { signal, batchSize: 1 }),
      preprocess: () => model.preprocess([photo], { signal }),
      stateDict: () => model.stateDict({ signal }),
      save: () => model.save(join(folder, 'model'), { signal }),
      load: () => GhostNet.load(undefined, { signal }),
      create: () => GhostNet.create({ stages: smallStages, signal }),
      ghostModule: () => ghostModule(quick, weights, { signal }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const { code, cause } = await errorOf(call);
      expect({ name, code, cause }).toEqual({
        name,
        code: 'GHOSTNET_ABORTED',
        cause: signal.reason as unknown,
      });
    }
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it('that fires after the call does nothing', async () => {
    const controller = new AbortController();
    const logits = await model.forward(quick, { signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    controller.abort();
    expect(logits.data.every(Number.isFinite)).toBe(true);
    expect((await model.forward(quick)).shape).toEqual([1, 10]);
  });

  it('that fires during the run lets it end', async () => {
    const controller = new AbortController();
    const running = model.forward(slow, { signal: controller.signal });
    // The executor is otherwise idle, so the job has begun long before this.
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort();
    expect((await running).shape).toEqual([8, 10]);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('leaves no listener behind when the call fails', async () => {
    const controller = new AbortController();
    const wrong = Tensor.empty('float32', [1, 3, 31, 31]);
    const error = await errorOf(() => model.forward(wrong, { signal: controller.signal }));
    expect(error.code).toBe('GHOSTNET_BAD_SHAPE');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

describe('calls', () => {
  it('end in the order in which they were made, of several models too', async () => {
    using other = await GhostNet.create({ stages: smallStages, numClasses: 2, threads: 1 });
    const ended: number[] = [];
    const inputs: Tensor<'float32'>[] = [slow, quick, quick, slow, quick];
    const calls = inputs.flatMap((input, index) => [
      model.forward(input).then(() => ended.push(2 * index)),
      other.forward(quick).then(() => ended.push(2 * index + 1)),
    ]);
    await Promise.all(calls);
    expect(ended).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
