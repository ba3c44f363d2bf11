import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { embeddedModel, GhostNet, ghostModule, inspectWeights, pullWeights, Tensor } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { errorOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';
import { gradient } from '../support/pictures.js';

const folder = mkdtempSync(join(tmpdir(), 'ghostnet-options-'));
const small = { stages: smallStages, numClasses: 2, inputSize: 32, threads: 1 };
const image = gradient(40, 32);
let model: GhostNet;
beforeAll(async () => {
  model = await GhostNet.create(small);
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true });
});

const input = () => Tensor.empty('float32', [1, 3, 32, 32]);
const calls: readonly (readonly [name: string, call: (options: never) => unknown, known: object])[] = [
  ['load', (options) => GhostNet.load(embeddedModel, options), { prefix: '', threads: 1 }],
  ['load of options alone', (options) => GhostNet.load(options), { weights: 'auto' }],
  ['create', (options) => GhostNet.create(options), small],
  ['inspectWeights', (options) => inspectWeights(embeddedModel, options), { maxFileBytes: 1e9 }],
  ['pipeline', (options) => model.pipeline(options), { topK: 1, maxPixels: 1e6 }],
  ['classify', (options) => model.classify(image, options), { topK: 1, batchSize: 2 }],
  ['embed', (options) => model.embed(image, options), { batchSize: 2 }],
  ['embed of a tensor', (options) => model.embed(input(), options), { batchSize: 2 }],
  ['forward', (options) => model.forward(input(), options), { signal: undefined }],
  ['preprocess', (options) => model.preprocess(image, options), { batchSize: 2 }],
  ['stateDict', (options) => model.stateDict(options), { deploy: false }],
  ['save', (options) => model.save(join(folder, 'a'), options), { dtype: 'float16', deploy: true }],
  ['run', (options) => model.pipeline().run(image, options), { signal: undefined }],
  ['duplex', (options) => model.pipeline().duplex(options), { ordered: false }],
];

describe.each(calls)('the options of %s', (_, call, known) => {
  it('are known by name', async () => {
    await call(known as never);
  });

  it('are refused if there is no such option', async () => {
    const error = await errorOf(() => call({ ...known, fooBarBaz: 1 } as never));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(error.message).toMatch(/^There is no option fooBarBaz\. /);
    expect(error.expected?.split(', ')).toEqual(expect.arrayContaining(Object.keys(known)));
    expect(error.remedy).not.toContain('Did you mean');
  });

  it('are suggested for names that are nearly theirs', async () => {
    for (const name of Object.keys(known)) {
      const misspelt = name.slice(0, -2) + (name.at(-1) ?? '') + (name.at(-2) ?? '');
      const error = await errorOf(() => call({ [misspelt]: 1 } as never));
      expect(error.remedy).toBe(`Did you mean ${name}?`);
    }
  });

  it('count if they are inherited; symbols and what is undefined do not', async () => {
    await call({ ...known, fooBarBaz: undefined, [Symbol('a')]: 1 } as never);
    class Options {
      readonly fooBarBaz = Number('1');
    }
    const error = await errorOf(() => call(Object.create(new Options()) as never));
    expect(error.message).toMatch(/^There is no option fooBarBaz\. /);
    class Known {
      readonly #nothing = 1;
      get nothing(): number {
        return this.#nothing;
      }
    }
    await call(Object.assign(new Known(), known) as never);
  });
});

describe('unknown options', () => {
  it('are not the methods of a class, as those of an AbortController', async () => {
    await model.classify(image, new AbortController());
    const own = await errorOf(() => model.classify(image, { abort: () => undefined } as object));
    expect(own.message).toMatch(/^There is no option abort\. /);
  });

  it.each<[string, () => unknown, string]>([
    ['of load', () => GhostNet.load('x', { inChannels: 4 } as object), 'Omit it, or correct its name.'],
    ['in another case', () => GhostNet.load('x', { Prefix: 'a' } as object), 'Did you mean prefix?'],
    ['that are misspelt', () => GhostNet.create({ widht: 1 } as object), 'Did you mean width?'],
    ['of a pull', () => pullWeights('ghostnet_100', { ofline: true } as object), 'Did you mean offline?'],
    [
      'of the timeouts of a pull',
      () => pullWeights('ghostnet_100', { offline: true, timeouts: { stallMS: 1, stalMs: 1 } as object }),
      'Did you mean stallMs?',
    ],
    ['of a ghost module', () => ghostModule(input(), {}, { strides: 2 } as object), 'Did you mean stride?'],
  ])('%s have their remedy', async (_, call, remedy) => {
    expect(await errorOf(call)).toMatchObject({ code: 'GHOSTNET_INVALID_ARGUMENT', remedy });
  });

  it('with long names have short messages', async () => {
    const error = await errorOf(() => GhostNet.create({ ['x'.repeat(1e6)]: 1 }));
    expect(error.message.length).toBeLessThan(1000);
  });
});
