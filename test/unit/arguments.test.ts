import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

import {
  cacheFolder,
  embeddedModel,
  GhostNet,
  GhostNetError,
  ghostModule,
  inspectWeights,
  Pipeline,
  pullWeights,
  Tensor,
  weightsRegistry,
} from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { errorOf } from '../support/errors.js';
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
  new URL('file:///a%00b'),
  runInNewContext('[1, 2]'),
  runInNewContext('new Uint8Array(3)'),
  runInNewContext('({ signal: null })'),
  ...unreadable(),
];

/** Values that throw an error of their own when they are read. */
function unreadable(): object[] {
  const fail = (): never => {
    throw new RangeError('not for you');
  };
  const revoked = <T extends object>(target: T): T => {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    return proxy;
  };
  const trapped = (target: object): object => new Proxy(target, { get: fail, has: fail, ownKeys: fail });
  return [
    revoked({}),
    revoked([]),
    revoked(new AbortController().signal),
    trapped({}),
    trapped([1]),
    new Proxy(new AbortController().signal, {}),
    new Proxy({}, { getPrototypeOf: fail, ownKeys: fail }),
    Object.defineProperty([1], 0, { get: fail, enumerable: true }),
    { toString: fail, valueOf: fail, constructor: { name: Symbol('a') } },
    Object.defineProperty({}, 'constructor', { get: fail }),
  ];
}

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
  maxImageBytes: 1_000_000,
  maxPixels: 10_000,
  maxCoefficientBytes: 0,
};
const { stages, numClasses, ...ofModel } = small;
const loadOptions = { ...ofModel, ...transform, labels: ['a', 'b'], backend: 'fused', device: 'cpu', signal };
const options = { ...loadOptions, stages, numClasses };
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

/** Reads a stream of results to its end. What its source throws comes through as it is. */
async function drained(stream: unknown): Promise<void> {
  try {
    for await (const outcome of stream as AsyncIterable<object>) expect(outcome).toHaveProperty('input');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
const weights = {
  primary_weight: floats(2, 3, 1, 1),
  primary_bias: floats(2),
  cheap_weight: floats(2, 1, 3, 3),
  cheap_bias: floats(2),
};
const ownEntry = { ...weightsRegistry[0], name: 'a' };
const pull = { cacheDir: folder, baseUrl: 'http://localhost', attempts: 1, registry: undefined, signal };

/** The functions of the package, each with arguments that it takes. */
const calls: readonly (readonly [name: string, call: Call, args: readonly unknown[]])[] = [
  ['new Tensor', constructorOf(Tensor), [{}]],
  ['Tensor.from', Tensor.from.bind(Tensor), [new Uint8Array(2), [2]]],
  ['Tensor.empty', Tensor.empty.bind(Tensor), ['uint8', [2]]],
  ['new GhostNet', constructorOf(GhostNet), [{}, {}, {}, {}]],
  [
    'GhostNet.load',
    GhostNet.load.bind(GhostNet),
    [new Uint8Array(8), { ...loadOptions, weights: 'auto', allowNonFinite: true, maxFileBytes: 1e6 }],
  ],
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
  ['inspectWeights', inspectWeights, [new Uint8Array(8), { weights: 'auto', maxFileBytes: 1e6, signal }]],
  [
    'pullWeights',
    pullWeights,
    ['ghostnet_100', { ...pull, timeouts: { retryMs: 1 }, offline: false, onProgress: undefined }],
  ],
  [
    'pullWeights of an entry',
    (entry, timeouts) => pullWeights('a', { ...pull, registry: [entry], timeouts }),
    [{ ...ownEntry }, { retryMs: 1, stallMs: 1 }],
  ],
  ['cacheFolder', cacheFolder, [{ env: {}, platform: 'linux', home: folder }]],
];

/** The arguments with one of them, or one property of one of them, replaced by each of the values or by nothing. */
function* variantsOf(args: readonly unknown[]): Generator<unknown[]> {
  for (const [index, arg] of args.entries()) {
    yield args.slice(0, index);
    const isPlain = Object.getPrototypeOf(arg) === Object.prototype;
    for (const value of values) {
      yield args.with(index, value);
      for (const name of isPlain ? Object.keys(arg as object) : []) {
        yield args.with(index, { ...(arg as object), [name]: value });
      }
    }
  }
}

/** The arguments with one property of one of them replaced by a getter that throws, or by a bare prototype. */
function* gettersOf(args: readonly unknown[]): Generator<unknown[]> {
  for (const [index, arg] of args.entries()) {
    if (Object.getPrototypeOf(arg) !== Object.prototype) continue;
    for (const name of Object.keys(arg as object)) {
      const get = (): never => {
        throw new RangeError('not for you');
      };
      yield args.with(index, Object.defineProperty({ ...(arg as object) }, name, { get, enumerable: true }));
    }
  }
}

/** Codes that misuse may have; GHOSTNET_INTERNAL would be a defect. */
const codes = new Set([
  'GHOSTNET_INVALID_ARGUMENT',
  'GHOSTNET_BAD_SHAPE',
  'GHOSTNET_BAD_DTYPE',
  'GHOSTNET_DISPOSED',
  'GHOSTNET_FILE_NOT_FOUND',
  'GHOSTNET_FILE_UNREADABLE',
  'GHOSTNET_FILE_UNWRITABLE',
  'GHOSTNET_IMAGE_UNDECODABLE',
  'GHOSTNET_UNKNOWN_FORMAT',
  'GHOSTNET_PARAMETERS_MISMATCH',
  'GHOSTNET_FILE_TOO_LARGE',
  'GHOSTNET_UNKNOWN_MODEL',
  'GHOSTNET_OFFLINE',
  'GHOSTNET_OUT_OF_MEMORY',
]);

describe('whatever is passed to it', () => {
  it.each(calls)('%s ends well or with a GhostNetError', async (_, call, args) => {
    for (const variant of variantsOf(args)) {
      try {
        await call(...(variant as never[]));
      } catch (error) {
        expect(error, String(error)).toBeInstanceOf(GhostNetError);
        expect(codes, String(error)).toContain((error as GhostNetError).code);
      }
    }
  });

  it.each(calls)('%s tells of a getter that throws', async (_, call, args) => {
    for (const variant of gettersOf(args)) {
      const error = await errorOf(() => call(...(variant as never[])));
      expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    }
  });

  it.each<[string, () => unknown, string]>([
    ['load(x, null)', () => GhostNet.load('x', null as never), 'GHOSTNET_INVALID_ARGUMENT'],
    ['pullWeights()', pullWeights as Call, 'GHOSTNET_INVALID_ARGUMENT'],
    ['load of file://host/x', () => GhostNet.load(new URL('file://host/x')), 'GHOSTNET_INVALID_ARGUMENT'],
    ['save to file://host/x', () => model.save(new URL('file://host/x')), 'GHOSTNET_INVALID_ARGUMENT'],
    [
      'classify of file://host/x',
      () => model.classify(new URL('file://host/x')),
      'GHOSTNET_INVALID_ARGUMENT',
    ],
    ['load of a name with NUL', () => GhostNet.load('a\0b'), 'GHOSTNET_FILE_NOT_FOUND'],
    ['save to a name with NUL', () => model.save('a\0b'), 'GHOSTNET_INVALID_ARGUMENT'],
    ['load of bytes that were transferred', () => GhostNet.load(transferred()), 'GHOSTNET_DISPOSED'],
    ['a shape of a billion holes', () => Tensor.empty('uint8', new Array(1e9)), 'GHOSTNET_BAD_SHAPE'],
    [
      'labels of a billion holes',
      () => GhostNet.load({ labels: new Array(1e9) }),
      'GHOSTNET_INVALID_ARGUMENT',
    ],
    ['a missing image', () => model.preprocess('a.jpg'), 'GHOSTNET_FILE_NOT_FOUND'],
  ])('%s has its code', async (_, call, code) => {
    expect((await errorOf(call)).code).toBe(code);
  });

  it('bytes of another realm are bytes', async () => {
    const bytes = runInNewContext('(bytes) => new Uint8Array(bytes)') as (bytes: Uint8Array) => Uint8Array;
    using loaded = await GhostNet.load(bytes(readFileSync(embeddedModel)));
    expect(loaded.info.variant).toBe('ghostnet_050');
  });
});

function transferred(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

describe('a method on another value than an object of its class', () => {
  const classes: [string, object, object][] = [
    ['GhostNet', GhostNet.prototype, {}],
    ['Pipeline', Pipeline.prototype, GhostNet.prototype],
    ['Tensor', Tensor.prototype, new Float32Array(1)],
  ];
  it.each(classes)('%s says so', async (name, prototype, other) => {
    const keys = Reflect.ownKeys(prototype).filter((key) => key !== 'constructor');
    for (const key of keys) {
      for (const value of [undefined, null, 1, {}, Object.create(prototype), other, ...unreadable()]) {
        const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
        const call = (descriptor?.value ?? Reflect.get(descriptor ?? {}, 'get')) as (
          this: unknown,
          ...args: unknown[]
        ) => unknown;
        // An async iterable says so when it is read.
        const error = await errorOf(async () => {
          const result = await call.call(value, image, {});
          return result;
        });
        expect(error.code, `${name} ${String(key)}`).toBe('GHOSTNET_INVALID_ARGUMENT');
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
    expect(Object.getOwnPropertyNames(GhostNet)).toEqual([
      ...['length', 'name', 'prototype'],
      ...['load', 'create', 'train'],
    ]);
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
