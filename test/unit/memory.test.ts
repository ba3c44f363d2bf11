import { readFileSync } from 'node:fs';

import { embeddedModel, GhostNet, inspectWeights, Tensor, type Pipeline, type ClassScore } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';
import { gradient, toSharp } from '../support/pictures.js';

let model: GhostNet;
let queue: Pipeline<ClassScore[]>;
let png: Uint8Array;
const weights = readFileSync(embeddedModel);
const pixels = gradient(40, 32);
beforeAll(async () => {
  model = await GhostNet.create({ stages: smallStages, numClasses: 2, inputSize: 32, seed: 1, threads: 1 });
  queue = model.pipeline();
  png = await toSharp(pixels).png().toBuffer();
});
afterAll(() => {
  model.dispose();
});

type Make = (bytes: Uint8Array) => Uint8Array;

async function firstOf(image: Uint8Array): Promise<ClassScore[]> {
  for await (const { result, error } of queue.stream([image])) {
    if (error !== undefined) throw error;
    return result;
  }
  throw new Error('No result');
}

/** What takes bytes, and what comes of it as plain data. */
const calls: Record<string, (make: Make) => Promise<unknown>> = {
  classify: (make) => model.classify(make(png)),
  'classify of a list': (make) => model.classify([make(png)]),
  embed: async (make) => Array.from((await model.embed(make(png))).data),
  preprocess: async (make) => Array.from((await model.preprocess(make(png))).data),
  run: (make) => queue.run(make(png)),
  stream: (make) => firstOf(make(png)),
  'classify of pixels': (make) => model.classify({ ...pixels, data: make(pixels.data) }),
  load: async (make) => (await GhostNet.load(make(weights))).info,
  inspectWeights: (make) => inspectWeights(make(weights)),
  // Its errors are thrown at once.
  // eslint-disable-next-line @typescript-eslint/require-await
  'Tensor.from': async (make) => Array.from(Tensor.from(make(Uint8Array.of(1, 2, 3)), [3]).data),
};

function fail(): never {
  throw new Error('not for you');
}

/** A subclass of Uint8Array whose getters are others. */
function withGetters(getters: Readonly<Record<string, () => unknown>>): Make {
  class Subclass extends Uint8Array {}
  for (const [name, get] of Object.entries(getters)) Object.defineProperty(Subclass.prototype, name, { get });
  return (bytes) => new Subclass(bytes);
}

/** What instances do. */
const subclasses: Record<string, Make> = {
  'throw for their length': withGetters({ byteLength: fail, length: fail }),
  'throw for their memory': withGetters({ buffer: fail, byteOffset: fail }),
  'say that they are long': withGetters({ byteLength: () => 2 ** 31, length: () => 2 ** 31 }),
  'say that they are empty': withGetters({ byteLength: () => 0, length: () => 0 }),
  'show other memory': withGetters({ buffer: () => new ArrayBuffer(8), byteOffset: () => 4 }),
  'have no methods': withGetters({ subarray: fail, slice: fail, indexOf: fail, set: fail }),
  'have another name': (bytes) => {
    class Subclass extends Uint8Array {}
    Object.defineProperty(Subclass.prototype, Symbol.toStringTag, { get: () => 'Float32Array' });
    return new Subclass(bytes);
  },
};

describe.each(Object.entries(calls))('%s', (_, call) => {
  it('rejects bytes whose memory was transferred', async () => {
    const transferred = (bytes: Uint8Array): Uint8Array => {
      const copy = new Uint8Array(bytes);
      structuredClone(copy, { transfer: [copy.buffer] });
      return copy;
    };
    expect(await codeOf(() => call(transferred))).toBe('GHOSTNET_DISPOSED');
  });

  it('takes bytes for what they are, whatever a subclass says of them', async () => {
    const expected = await call((bytes) => bytes);
    for (const [name, make] of Object.entries(subclasses)) expect(await call(make), name).toEqual(expected);
  });
});
