import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  cacheFolder,
  GhostNet,
  GhostNetError,
  ghostModule,
  inspectWeights,
  Pipeline,
  pullWeights,
  Tensor,
} from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { smallStages } from '../support/models.js';
import { gradient } from '../support/pictures.js';

type Call = (...args: never[]) => unknown;

const folder = mkdtempSync(join(tmpdir(), 'ghostnet-arguments-'));
const small = { stages: smallStages, numClasses: 2, inputSize: 32, threads: 1 };
let model: GhostNet;
let queue: Pipeline<unknown>;
beforeAll(async () => {
  // Whatever the options of a pull are, it stays off the network.
  vi.stubEnv('GHOSTNET_OFFLINE', '1');
  vi.stubEnv('GHOSTNET_CACHE', folder);
  model = await GhostNet.create(small);
  queue = model.pipeline();
});
afterAll(() => {
  vi.unstubAllEnvs();
  model.dispose();
  rmSync(folder, { recursive: true });
});

/** Values of every kind; most of them are wrong wherever they are passed. */
const values: readonly unknown[] = [
  undefined,
  null,
  true,
  -1,
  NaN,
  2 ** 60,
  1n,
  '',
  'a\0b',
  join(folder, 'missing', 'file'),
  Symbol('a'),
  () => 1,
  [],
  new Array(1),
  [null],
  [[]],
  {},
  Object.create(null),
  { data: 1, width: {}, height: Symbol('b') },
  new Map(),
  new Date(0),
  Promise.resolve(),
  new Uint8Array(3),
  new Float32Array(3),
  new ArrayBuffer(3),
  new URL('http://localhost/a'),
  new URL('file://host/a'),
];

const constructorOf =
  (type: unknown): Call =>
  (...args) =>
    Reflect.construct(type as new () => object, args) as unknown;
const method =
  (name: keyof GhostNet): Call =>
  (...args) =>
    (model[name] as Call)(...args);

const floats = (...shape: number[]) => Tensor.empty('float32', shape);
const image = gradient(40, 32);
const signal = undefined;
const transform = {
  crop: 1,
  interpolation: 'bicubic',
  mean: [0, 0, 0],
  std: [1, 1, 1],
  colorProfile: 'apply',
  decode: 'fast',
  decoder: 'sharp',
  maxPixels: 10_000,
  maxCoefficientBytes: 0,
};
const options = { ...small, ...transform, labels: ['a', 'b'], backend: 'fused', device: 'cpu', signal };
const pipelineOptions = {
  output: 'classify',
  topK: 1,
  maxBatch: 2,
  maxDelayMs: 0,
  maxQueue: 2,
  whenFull: 'wait',
  timeoutMs: 1000,
  decode: 'fast',
};

/** Reads a stream of results to its end. */
async function drained(stream: unknown): Promise<void> {
  for await (const outcome of stream as AsyncIterable<object>) expect(outcome).toHaveProperty('input');
}
const weights = {
  primary_weight: floats(2, 3, 1, 1),
  primary_bias: floats(2),
  cheap_weight: floats(2, 1, 3, 3),
  cheap_bias: floats(2),
};
const pull = { cacheDir: folder, baseUrl: 'http://localhost', attempts: 1, registry: undefined, signal };

/** The functions of the package, each with arguments that it takes. */
const calls: readonly (readonly [name: string, call: Call, args: readonly unknown[]])[] = [
  ['new Tensor', constructorOf(Tensor), [{}]],
  ['Tensor.from', Tensor.from.bind(Tensor), [new Uint8Array(2), [2]]],
  ['Tensor.empty', Tensor.empty.bind(Tensor), ['uint8', [2]]],
  ['new GhostNet', constructorOf(GhostNet), [{}, {}, {}, {}]],
  ['GhostNet.load', GhostNet.load.bind(GhostNet), [new Uint8Array(8), { ...options, weights: 'auto' }]],
  [
    'GhostNet.load with options alone',
    GhostNet.load.bind(GhostNet),
    [{ threads: 1, crop: 1, weights: 'auto' }],
  ],
  ['GhostNet.create', GhostNet.create.bind(GhostNet), [{ ...options, width: 0.1, dropout: 0, seed: 1 }]],
  ['forward', method('forward'), [floats(1, 3, 32, 32), { signal }]],
  ['embed', method('embed'), [floats(1, 3, 32, 32), { signal }]],
  ['classify', method('classify'), [image, { topK: 1, batchSize: 2, signal }]],
  ['embed of images', method('embed'), [image, { batchSize: 2, signal }]],
  ['pipeline', method('pipeline'), [pipelineOptions]],
  ['new Pipeline', constructorOf(Pipeline), [{}, {}]],
  ['pipeline.run', (...args) => (queue.run as Call)(...args), [image, { signal }]],
  [
    'pipeline.stream',
    (...args) => drained((queue.stream as Call)(...args)),
    [[image], { ordered: false, signal }],
  ],
  ['pipeline.duplex', (...args) => (queue.duplex as Call)(...args), [{ ordered: false, signal }]],
  ['preprocess', method('preprocess'), [image, { signal }]],
  ['summary', method('summary'), [{ height: 32, width: 32 }]],
  ['stateDict', method('stateDict'), [{ signal }]],
  ['save', method('save'), [join(folder, 'saved'), { signal }]],
  [
    'ghostModule',
    ghostModule,
    [floats(1, 3, 4, 4), weights, { outChannels: 4, stride: 1, threads: 1, signal }],
  ],
  ['inspectWeights', inspectWeights, [new Uint8Array(8), { weights: 'auto', signal }]],
  ['pullWeights', pullWeights, ['ghostnet_100', { ...pull, timeouts: { retryMs: 1 }, offline: false }]],
  ['cacheFolder', cacheFolder, [{ env: {}, platform: 'linux', home: folder }]],
];

/** The arguments with one of them, or one property of one of them, replaced by each of the values. */
function* variantsOf(args: readonly unknown[]): Generator<unknown[]> {
  for (const [index, arg] of args.entries()) {
    const isPlain = Object.getPrototypeOf(arg) === Object.prototype;
    for (const value of values) {
      yield args.with(index, value);
      for (const name of isPlain ? Object.keys(arg as object) : []) {
        yield args.with(index, { ...(arg as object), [name]: value });
      }
    }
  }
}

describe('whatever is passed to it', () => {
  it.each(calls)('%s ends well or with a GhostNetError', async (_, call, args) => {
    for (const variant of variantsOf(args)) {
      try {
        await call(...(variant as never[]));
      } catch (error) {
        expect(error, String(error)).toBeInstanceOf(GhostNetError);
      }
    }
  });
});

describe('the public classes', () => {
  it('have no members but the documented ones', () => {
    const methods = ['forward', 'embed', 'classify', 'preprocess', 'pipeline'];
    const others = ['summary', 'stateDict', 'save', 'dispose'];
    expect(Object.getOwnPropertyNames(GhostNet.prototype)).toEqual(['constructor', ...methods, ...others]);
    const ofPipeline = ['run', 'stream', 'duplex', 'transformStream', 'stats', 'close', 'destroy'];
    expect(Object.getOwnPropertyNames(Pipeline.prototype)).toEqual(['constructor', ...ofPipeline]);
    expect(Object.keys(model.pipeline())).toEqual([]);
    expect(Object.keys(model)).toEqual(['info']);
    expect(Object.getOwnPropertyNames(GhostNet)).toEqual(['length', 'name', 'prototype', 'load', 'create']);
    expect(Object.getOwnPropertyNames(Tensor.prototype)).toEqual([
      'constructor',
      'data',
      'disposed',
      'dispose',
    ]);
    expect(Object.keys(floats(1))).toEqual(['dtype', 'shape', 'size']);
    expect(Object.getOwnPropertyNames(Tensor)).toEqual(['length', 'name', 'prototype', 'from', 'empty']);
  });
});
