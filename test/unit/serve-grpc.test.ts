import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  credentials,
  Metadata,
  Server as GrpcServer,
  ServerCredentials,
  status,
  type CallOptions,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { context, propagation, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { GhostNet, Tensor } from 'ghostnet';
import { instrument } from 'ghostnet/opentelemetry';
import {
  addGrpcServices,
  createHandler,
  startServer,
  type ServedModels,
  type Server,
  type ServerOptions,
} from 'ghostnet/serve';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { codeOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';
import { gradient, plain, toSharp } from '../support/pictures.js';

const path = fileURLToPath(new URL('../../lib/serve/grpc/inference.proto', import.meta.url));
const definition = loadSync(path, { keepCase: true, longs: Number, defaults: true, oneofs: true });
const methods = {
  ...definition['inference.GRPCInferenceService'],
  ...healthService,
} as Readonly<Partial<Record<string, MethodDefinition<object, object>>>>;
const side = 32;
let model: GhostNet;
let jpeg: Buffer;
let png: Buffer;
const closings: (() => unknown)[] = [];

beforeAll(async () => {
  model = await GhostNet.create({ stages: smallStages, numClasses: 4, inputSize: side, seed: 1 });
  jpeg = await toSharp(gradient(90, 60)).jpeg().toBuffer();
  png = await toSharp(gradient(50, 80)).png().toBuffer();
});
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});
afterAll(() => {
  model.dispose();
});

const quick = { port: 0, grpcPort: 0, drainDelayMs: 0, graceMs: 3_000 };

async function start(options: ServerOptions = {}, models: ServedModels = { small: model }): Promise<Server> {
  const server = await startServer(models, { ...quick, ...options });
  closings.push(() => server.close());
  return server;
}

async function ready(options: ServerOptions = {}): Promise<Client> {
  const server = await start(options);
  await server.whenReady();
  return new Client(server.grpcPort);
}

interface Answer {
  readonly live?: boolean;
  readonly ready?: boolean;
  readonly status?: string;
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly { name: string; datatype: string; shape: number[] }[];
  readonly raw_output_contents: readonly Buffer[];
}

type Options = CallOptions & { readonly signal?: AbortSignal };

/** A client of every method, whose calls are promises. */
class Client {
  readonly #client: grpc.Client;

  constructor(port: number | undefined) {
    this.#client = new grpc.Client(`127.0.0.1:${port ?? 0}`, credentials.createInsecure());
    closings.push(() => {
      this.#client.close();
    });
  }

  call(name: string, request: object = {}, headers: Record<string, string> = {}, options: Options = {}) {
    const { path: address, requestSerialize, responseDeserialize } = methodOf(name);
    return this.raw(address, requestSerialize(request), headers, options, responseDeserialize);
  }

  raw(
    address: string,
    bytes: Buffer,
    headers: Record<string, string> = {},
    options: Options = {},
    read: (bytes: Buffer) => unknown = (given) => given,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const metadata = new Metadata();
      for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
      const call = this.#client.makeUnaryRequest(
        address,
        (given: Buffer) => given,
        read,
        bytes,
        metadata,
        options,
        (error, answer) => {
          if (error === null) resolve(answer as Answer);
          else reject(error);
        },
      );
      options.signal?.addEventListener('abort', () => {
        call.cancel();
      });
    });
  }

  infer(request: object, headers: Record<string, string> = {}, options: Options = {}): Promise<Answer> {
    return this.call('ModelInfer', { model_name: 'small', ...request }, headers, options);
  }

  /** A call whose message does not come. */
  beginInfer(): Promise<unknown> {
    const identity = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve, reject) => {
      const stream = this.#client.makeClientStreamRequest(
        methodOf('ModelInfer').path,
        identity,
        identity,
        (error, answer) => {
          if (error === null) resolve(answer);
          else reject(error);
        },
      );
      closings.push(() => {
        stream.cancel();
      });
    });
  }

  /** The statuses that a watch sends, and how it ends. */
  watch(name: string): { readonly statuses: string[]; readonly end: Promise<ServiceError> } {
    const { path: address, requestSerialize, responseDeserialize } = methodOf('Watch');
    const stream = this.#client.makeServerStreamRequest(address, requestSerialize, responseDeserialize, {
      service: name,
    });
    const statuses: string[] = [];
    stream.on('data', (answer: { status: string }) => statuses.push(answer.status));
    const end = new Promise<ServiceError>((resolve) => stream.once('error', resolve));
    closings.push(() => {
      stream.cancel();
    });
    return { statuses, end };
  }
}

function methodOf(name: string): MethodDefinition<object, object> {
  const method = methods[name];
  if (method === undefined) throw new Error(`There is no method ${name}`);
  return method;
}

/** The status, the code of the error and the text with which a call fails. */
async function failureOf(call: Promise<unknown>): Promise<[string, unknown, string]> {
  const error = await call.then(
    () => {
      throw new Error('The call did not fail');
    },
    (thrown: unknown) => thrown as ServiceError,
  );
  return [status[error.code], error.metadata.get('ghostnet-code')[0], error.details];
}

const lengthened = (file: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(file.byteLength);
  return Buffer.concat([length, file]);
};
const image = (...files: Uint8Array[]) => ({
  inputs: [{ name: 'image', datatype: 'BYTES', shape: [files.length] }],
  raw_input_contents: [Buffer.concat(files.map(lengthened))],
});
const numbers = Float32Array.from({ length: 2 * 3 * side * side }, (_, index) => Math.sin(index));
const pixels = Uint8Array.from({ length: 2 * side * side * 3 }, (_, index) => (index * 7) % 256);
const bytesOf = (data: ArrayBufferView): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const fp32 = { name: 'pixel_values', datatype: 'FP32', shape: [2, 3, side, side] };
const uint8 = { name: 'pixel_values', datatype: 'UINT8', shape: [2, side, side, 3] };
const logits = { outputs: [{ name: 'logits' }] };
const floatsOf = (bytes: Buffer | undefined): number[] =>
  Array.from({ length: (bytes?.byteLength ?? 0) / 4 }, (_, index) => bytes?.readFloatLE(index * 4) ?? NaN);

/** The logits of forward() and the embedding, in the bytes of a response. */
async function expected(tensor: Tensor): Promise<Buffer> {
  const result = await model.forward(tensor as Tensor<'float32', readonly [number, 3, number, number]>);
  const bytes = Buffer.from(bytesOf(result.data));
  result.dispose();
  tensor.dispose();
  return bytes;
}

/** Images that were computed, and those that were not. */
async function countsOf({ url }: Server): Promise<{ success: number; fail: number }> {
  const response = await fetch(`${url}/v2/models/small/stats`);
  const { model_stats: stats } = (await response.json()) as {
    model_stats: [{ inference_stats: { success: { count: number }; fail: { count: number } } }];
  };
  const { success, fail } = stats[0].inference_stats;
  return { success: success.count, fail: fail.count };
}

/** Waits until the server has begun with the images of a call. */
async function hasBegun(server: Server): Promise<void> {
  const { success: before } = await countsOf(server);
  for (let turn = 0; turn < 1000 && (await countsOf(server)).success === before; ++turn) await sleep(5);
}

describe('the methods of inference.GRPCInferenceService', () => {
  it('describe the server and its models', async () => {
    const client = await ready();
    expect(await client.call('ServerLive')).toEqual({ live: true });
    expect(await client.call('ServerReady')).toEqual({ ready: true });
    expect(await client.call('ModelReady', { name: 'small' })).toEqual({ ready: true });
    expect(await client.call('ServerMetadata')).toMatchObject({
      name: 'ghostnet',
      extensions: ['classification'],
    });
    expect(await client.call('ModelMetadata', { name: 'small', version: '1' })).toEqual({
      name: 'small',
      versions: ['1'],
      platform: 'ghostnet_libtorch',
      inputs: [
        { name: 'image', datatype: 'BYTES', shape: [-1, 1] },
        { name: 'pixel_values', datatype: 'FP32', shape: [-1, 3, -1, -1] },
      ],
      outputs: [
        { name: 'logits', datatype: 'FP32', shape: [-1, 4] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 4] },
        { name: 'embedding', datatype: 'FP32', shape: [-1, 1280] },
      ],
    });
  });

  it('compute all outputs, and echo the id', async () => {
    const client = await ready();
    const answer = await client.infer({ id: 'request-7', ...image(jpeg, png) });
    expect(answer).toMatchObject({ model_name: 'small', model_version: '1', id: 'request-7' });
    expect(answer.outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
      ['logits', 'FP32', [2, 4]],
      ['probabilities', 'FP32', [2, 4]],
      ['embedding', 'FP32', [2, 1280]],
    ]);
    expect(answer.raw_output_contents.map(({ byteLength }) => byteLength)).toEqual([32, 32, 10_240]);
    const [, probabilities] = answer.raw_output_contents;
    const sums = [0, 4].map((from) =>
      floatsOf(probabilities)
        .slice(from, from + 4)
        .reduce((sum, value) => sum + value),
    );
    for (const sum of sums) expect(sum).toBeCloseTo(1, 6);
  });

  it('compute bit for bit what the package does, from raw_input_contents and from contents', async () => {
    const client = await ready();
    const fromNumbers = await expected(Tensor.from(numbers, [2, 3, side, side]));
    const fromPixels = await expected(Tensor.from(pixels, [2, side, side, 3]));
    const fromFile = await expected(await model.preprocess(jpeg));
    const requests: [request: object, expected: Buffer][] = [
      [{ inputs: [fp32], raw_input_contents: [bytesOf(numbers)] }, fromNumbers],
      [{ inputs: [{ ...fp32, contents: { fp32_contents: [...numbers] } }] }, fromNumbers],
      [{ inputs: [uint8], raw_input_contents: [bytesOf(pixels)] }, fromPixels],
      [{ inputs: [{ ...uint8, contents: { uint_contents: [...pixels] } }] }, fromPixels],
      [image(jpeg), fromFile],
      [
        {
          inputs: [{ name: 'image', datatype: 'BYTES', shape: [1, 1], contents: { bytes_contents: [jpeg] } }],
        },
        fromFile,
      ],
    ];
    for (const [request, result] of requests) {
      const answer = await client.infer({ ...request, ...logits });
      expect(answer.outputs.map(({ name }) => name)).toEqual(['logits']);
      expect(answer.raw_output_contents[0]?.equals(result)).toBe(true);
    }
  });

  it('answer classes', async () => {
    const client = await ready();
    const outputs = [{ name: 'probabilities', parameters: { classification: { int64_param: 3 } } }];
    const answer = await client.infer({ ...image(jpeg), outputs });
    expect(answer.outputs).toMatchObject([{ name: 'probabilities', datatype: 'BYTES', shape: [1, 3] }]);
    const text = answer.raw_output_contents[0]?.toString('latin1') ?? '';
    expect([...text.matchAll(/0\.\d+:\d:/g)]).toHaveLength(3);
  });

  it('find versions: the latest if a request names none', async () => {
    const other = await GhostNet.create({ stages: smallStages, numClasses: 4, inputSize: side, seed: 2 });
    const server = await start({}, [
      { name: 'small', version: '1', model },
      { name: 'small', version: '2', model: other },
    ]);
    await server.whenReady();
    const client = new Client(server.grpcPort);
    const versionOf = async (version: object) =>
      (await client.infer({ ...image(jpeg), ...version })).model_version;
    expect(await versionOf({})).toBe('2');
    expect(await versionOf({ model_version: '1' })).toBe('1');
    await server.close();
    other.dispose();
  });
});

describe('a call that fails', () => {
  const inputs = (input: object, bytes: Uint8Array = bytesOf(numbers)) => ({
    inputs: [input],
    raw_input_contents: [Buffer.from(bytes)],
  });
  it.each<[what: string, request: () => object, code: string, text: RegExp]>([
    ['no input', () => ({}), 'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST', /wrong number of inputs/],
    ['an unknown model', () => ({ model_name: 'x' }), 'NOT_FOUND GHOSTNET_UNKNOWN_MODEL', /Found "x"/],
    ['an unknown version', () => ({ model_version: '9' }), 'NOT_FOUND GHOSTNET_UNKNOWN_MODEL', /version "9"/],
    [
      'an unknown input',
      () => inputs({ ...fp32, name: 'x' }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /"x"/,
    ],
    [
      'another datatype',
      () => inputs({ ...fp32, datatype: 'INT64' }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /Found "INT64"/,
    ],
    [
      'a datatype of every object',
      () => ({ inputs: [{ ...fp32, datatype: 'constructor', contents: {} }] }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /Found "constructor"/,
    ],
    [
      'too few bytes',
      () => inputs({ ...fp32, shape: [3, 3, side, side] }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /Expected 36864 bytes/,
    ],
    [
      'another layout',
      () => inputs({ ...fp32, shape: [2, side, side, 3] }),
      'INVALID_ARGUMENT GHOSTNET_BAD_SHAPE',
      /\[N,3,H,W\]/,
    ],
    [
      'a shape of 0',
      () => inputs({ ...fp32, shape: [0] }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /at least 1/,
    ],
    [
      'contents beside raw_input_contents',
      () => inputs({ ...fp32, contents: { fp32_contents: [1] } }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /contents and raw_input_contents/,
    ],
    [
      'raw_input_contents of another number',
      () => ({ inputs: [fp32], raw_input_contents: [Buffer.alloc(0), Buffer.alloc(0)] }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /2 for 1 inputs/,
    ],
    [
      'values that are no bytes',
      () => ({ inputs: [{ ...uint8, shape: [1], contents: { uint_contents: [256] } }] }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /0 to 255/,
    ],
    [
      'an unknown output',
      () => ({ ...image(jpeg), outputs: [{ name: 'x' }] }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /logits, probabilities, embedding/,
    ],
    [
      'too many outputs',
      () => ({ ...image(jpeg), outputs: Array.from({ length: 101 }, () => ({ name: 'logits' })) }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /at most 100/,
    ],
    [
      'what is no image',
      () => image(Buffer.from('text')),
      'INVALID_ARGUMENT GHOSTNET_MEDIA_TYPE',
      /JPEG, PNG/,
    ],
    [
      'half an image',
      () => image(png.subarray(0, 80)),
      'INVALID_ARGUMENT GHOSTNET_IMAGE_UNDECODABLE',
      /decoded/,
    ],
    [
      'a parameter of another type',
      () => ({ ...image(jpeg), parameters: { timeout: { string_param: 'soon' } } }),
      'INVALID_ARGUMENT GHOSTNET_BAD_REQUEST',
      /parameter timeout/,
    ],
  ])('tells of %s', async (_, request, code, text) => {
    const client = await ready();
    const [name, errorCode, details] = await failureOf(client.infer(request()));
    expect(`${name} ${String(errorCode)}`).toBe(code);
    expect(details).toMatch(text);
    // The server works on.
    expect(await client.infer(image(jpeg))).toMatchObject({ model_name: 'small' });
  });

  it('tells of messages that are none, or of too many parts', async () => {
    const client = await ready();
    const { path: address } = methodOf('ModelInfer');
    const many = Buffer.alloc(2_000_000);
    for (let at = 0; at < many.length; at += 2) many[at] = 5 * 8 + 2; // an input of no bytes
    const lengths = Buffer.alloc(300_000, 1); // a shape of as many lengths
    const shape = Buffer.concat([Buffer.from([0x1a, 0xe0, 0xa7, 0x12]), lengths]);
    const input = Buffer.concat([Buffer.from([0x2a, 0xe4, 0xa7, 0x12]), shape]);
    for (const [bytes, text] of [
      [Buffer.from([0x2a, 0x05, 0x01]), /no ModelInferRequest/],
      [Buffer.from([0x0b, 0x0c]), /no ModelInferRequest/],
      [Buffer.from([0x09, 0x01]), /no ModelInferRequest/],
      [Buffer.from([0xff, 0xff]), /no ModelInferRequest/],
      [many, /too many parts/],
      [input, /too many parts/],
    ] as const) {
      const [name, code, details] = await failureOf(client.raw(address, bytes));
      expect([name, code]).toEqual(['INVALID_ARGUMENT', 'GHOSTNET_BAD_REQUEST']);
      expect(details).toMatch(text);
    }
  });

  it('has a message that clients take, however much there is to tell', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(190));
    const server = await start({}, Object.fromEntries(names.map((name) => [name, model])));
    const client = new Client(server.grpcPort);
    const [code, , details] = await failureOf(client.infer({ model_name: '\u{1f408}'.repeat(400) }));
    expect(code).toBe('NOT_FOUND');
    expect(details).toContain('00000');
    expect(details).toContain('describes each');
    expect(details.length).toBe(800);
  });

  it('tells of a message that is too large', async () => {
    const client = await ready({ maxBodyBytes: 20_000 });
    const [name] = await failureOf(client.infer({ inputs: [fp32], raw_input_contents: [bytesOf(numbers)] }));
    expect(name).toBe('RESOURCE_EXHAUSTED');
    expect(await client.infer(image(jpeg))).toMatchObject({ model_name: 'small' });
  });

  it('tells of full queues, and of too many bytes', async () => {
    const tensors = { inputs: [fp32], raw_input_contents: [bytesOf(numbers)] };
    for (const [options, text] of [
      [{ pipeline: { maxQueue: 2 } }, /Too many tensors/],
      [{ maxBodyBytes: 30_000, maxBufferedBytes: 30_000 }, /option maxBufferedBytes/],
    ] as const) {
      const client = await ready(options);
      const settled = await Promise.allSettled([client.infer(tensors), client.infer(tensors)]);
      expect(settled.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      const lost = settled.find((result) => result.status === 'rejected');
      const [name, code, details] = await failureOf(Promise.reject(lost?.reason as Error));
      expect([name, code]).toEqual(['RESOURCE_EXHAUSTED', 'GHOSTNET_QUEUE_FULL']);
      expect(details).toMatch(text);
      expect(await client.infer(tensors)).toMatchObject({ model_name: 'small' });
    }
  });

  it('tells of the time that the request sets', async () => {
    const client = await ready();
    const parameters = { timeout: { int64_param: 1 } };
    const files = Array.from({ length: 100 }, () => jpeg);
    const [name, code] = await failureOf(client.infer({ ...image(...files), parameters }));
    expect([name, code]).toEqual(['DEADLINE_EXCEEDED', 'GHOSTNET_TIMEOUT']);
  });

  it('tells of a message that does not arrive', async () => {
    const client = await ready({ requestTimeoutMs: 100 });
    expect(await failureOf(client.beginInfer())).toMatchObject([
      'DEADLINE_EXCEEDED',
      'GHOSTNET_TIMEOUT',
      /requestTimeoutMs/,
    ]);
    // Only the time until it is there counts, not that of the answer.
    const { end } = client.watch('');
    expect(await Promise.race([end, sleep(400, 'goes on')])).toBe('goes on');
  });

  it('tells of methods that are not there', async () => {
    const client = await ready();
    const [name] = await failureOf(
      client.raw('/inference.GRPCInferenceService/ModelStatistics', Buffer.alloc(0)),
    );
    expect(name).toBe('UNIMPLEMENTED');
  });

  it('needs no model that is ready', async () => {
    const server = await start({}, { small: new Promise<GhostNet>(() => undefined) });
    const client = new Client(server.grpcPort);
    expect(await client.call('ServerLive')).toEqual({ live: true });
    expect(await client.call('ServerReady')).toEqual({ ready: false });
    expect(await client.call('ModelReady', { name: 'small' })).toEqual({ ready: false });
    expect(await failureOf(client.call('ModelReady', { name: 'x' }))).toMatchObject({ 0: 'NOT_FOUND' });
    for (const call of [client.infer(image(jpeg)), client.call('ModelMetadata', { name: 'small' })])
      expect(await failureOf(call)).toMatchObject(['UNAVAILABLE', 'GHOSTNET_NOT_READY', /./]);
  });
});

describe('the work of a call', () => {
  it.each([
    ['cancels it', 'CANCELLED'],
    ['sets a deadline', 'DEADLINE_EXCEEDED'],
  ])('ends when the client %s', async (_, name) => {
    const large = await toSharp(plain(2500, 2500, [9, 9, 9]))
      .png()
      .toBuffer();
    const server = await start({ pipeline: { maxBatch: 1 } });
    await server.whenReady();
    const client = new Client(server.grpcPort);
    const { success: before } = await countsOf(server);
    const request = image(...Array.from({ length: 200 }, () => large));
    const cancel = new AbortController();
    const options = name === 'CANCELLED' ? { signal: cancel.signal } : { deadline: Date.now() + 1500 };
    const call = failureOf(client.infer(request, {}, options));
    await hasBegun(server);
    cancel.abort();
    expect((await call)[0]).toBe(name);
    let counts = await countsOf(server);
    for (let turn = 0; turn < 200 && counts.fail + counts.success < before + 200; ++turn) {
      await sleep(10);
      counts = await countsOf(server);
    }
    expect(counts.fail + counts.success).toBe(before + 200);
    expect(counts.fail).toBeGreaterThan(0);
  });

  it('belongs to the trace of the client', async () => {
    const exporter = new InMemorySpanExporter();
    const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator({
      inject: () => undefined,
      fields: () => ['traceparent'],
      extract: (active, carrier) => {
        const [, id = '', spanId = ''] = (carrier as { traceparent?: string }).traceparent?.split('-') ?? [];
        return trace.setSpanContext(active, { traceId: id, spanId, traceFlags: TraceFlags.SAMPLED });
      },
    });
    const stop = instrument({ tracerProvider });
    try {
      const client = await ready();
      exporter.reset();
      await client.infer(image(jpeg), { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
      const span = exporter.getFinishedSpans().find(({ name }) => name === 'ghostnet.image');
      expect(span?.spanContext().traceId).toBe(traceId);
    } finally {
      stop();
      propagation.disable();
      context.disable();
    }
  });
});

describe('a token', () => {
  it('is needed, but for what watches over the server', async () => {
    const client = await ready({ token: 'secret' });
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'secret' }])
      for (const call of [
        client.infer(image(jpeg), headers),
        client.call('ModelMetadata', { name: 'small' }, headers),
        client.call('ServerMetadata', {}, headers),
      ])
        expect(await failureOf(call)).toMatchObject(['UNAUTHENTICATED', 'GHOSTNET_UNAUTHORIZED', /token/]);
    for (const [name, request] of [
      ['ServerLive', {}],
      ['ServerReady', {}],
      ['ModelReady', { name: 'small' }],
      ['Check', { service: '' }],
    ] as const)
      await client.call(name, request);
    const headers = { authorization: 'Bearer secret' };
    expect(await client.infer(image(jpeg), headers)).toMatchObject({ model_name: 'small' });
    expect(await client.call('ServerMetadata', {}, headers)).toMatchObject({ name: 'ghostnet' });
  });
});

describe('grpc.health.v1.Health', () => {
  const names = ['', 'inference.GRPCInferenceService'];

  it('follows the server from its start to its end', async () => {
    let load: (loaded: GhostNet) => void = () => undefined;
    const server = await start({ drainDelayMs: 500 }, { small: new Promise((resolve) => (load = resolve)) });
    const client = new Client(server.grpcPort);
    const watches = names.map((name) => client.watch(name));
    const check = (name: string) => client.call('Check', { service: name });
    for (const name of names) expect(await check(name)).toEqual({ status: 'NOT_SERVING' });
    load(model);
    await server.whenReady();
    for (const name of names) expect(await check(name)).toEqual({ status: 'SERVING' });
    const closing = server.close();
    while (watches.some(({ statuses }) => statuses.length < 3)) await sleep(5);
    for (const name of names) expect(await check(name)).toEqual({ status: 'NOT_SERVING' });
    expect(await client.call('ServerReady')).toEqual({ ready: false });
    expect(await client.call('ModelReady', { name: 'small' })).toEqual({ ready: false });
    // Until the delay is over, requests are answered.
    expect(await client.infer(image(jpeg))).toMatchObject({ model_name: 'small' });
    for (const { end } of watches) expect((await end).code).toBe(status.UNAVAILABLE);
    for (const { statuses } of watches) expect(statuses).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
    await closing;
  });

  it('knows no other service', async () => {
    const client = await ready();
    expect(await failureOf(client.call('Check', { service: 'x' }))).toMatchObject({ 0: 'NOT_FOUND' });
    const { statuses } = client.watch('x');
    while (statuses.length === 0) await sleep(5);
    expect(statuses).toEqual(['SERVICE_UNKNOWN']);
  });

  it('tells of a model that has gone', async () => {
    const other = await GhostNet.create({ stages: smallStages, numClasses: 4, inputSize: side, seed: 2 });
    const server = await start({}, { small: other });
    await server.whenReady();
    const client = new Client(server.grpcPort);
    other.dispose();
    expect(await client.call('Check', { service: '' })).toEqual({ status: 'NOT_SERVING' });
  });
});

describe('the end of a server', () => {
  it('waits for calls, and not for those who watch', async () => {
    const server = await start({ graceMs: 20_000, drainDelayMs: 300 });
    await server.whenReady();
    const client = new Client(server.grpcPort);
    const { statuses, end } = client.watch('');
    while (statuses.length === 0) await sleep(5);
    const files = Array.from({ length: 60 }, () => jpeg);
    const calls = [client.infer(image(...files)), client.infer(image(...files))];
    const from = performance.now();
    await server.close();
    expect(performance.now() - from).toBeLessThan(10_000);
    for (const call of calls) expect((await call).outputs[0]?.shape).toEqual([60, 4]);
    expect((await end).code).toBe(status.UNAVAILABLE);
    expect((await failureOf(client.infer(image(jpeg))))[0]).toBe('UNAVAILABLE');
  });

  it('rejects what is left after the time of grace', async () => {
    const large = await toSharp(gradient(2500, 2500)).jpeg().toBuffer();
    const server = await start({ graceMs: 50, pipeline: { maxBatch: 1 } });
    await server.whenReady();
    const client = new Client(server.grpcPort);
    const files = Array.from({ length: 100 }, () => large);
    const call = failureOf(client.infer(image(...files)));
    await hasBegun(server);
    const from = performance.now();
    await server.close();
    expect(performance.now() - from).toBeLessThan(2_000);
    expect(await call).toMatchObject(['UNAVAILABLE', 'GHOSTNET_CLOSED', /./]);
  });
});

describe('a gRPC server', () => {
  it('of one’s own takes the services of a handler', async () => {
    const handler = createHandler({ small: model });
    const server = new GrpcServer();
    addGrpcServices(server, handler);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    closings.push(() => {
      server.forceShutdown();
    });
    await handler.whenReady();
    const client = new Client(port);
    expect(await client.infer(image(jpeg))).toMatchObject({ model_name: 'small' });
    // A handler that is closed waits for the calls it took, and takes no more.
    const forward = vi.spyOn(model, 'forward');
    const shape = [16, 3, 128, 128];
    const zeros = Buffer.alloc(4 * 16 * 3 * 128 * 128);
    const call = client.infer({ inputs: [{ ...fp32, shape }], raw_input_contents: [zeros], ...logits });
    await vi.waitFor(() => {
      expect(forward).toHaveBeenCalled();
    });
    await handler.close();
    expect(forward.mock.settledResults).toMatchObject([{ type: 'fulfilled' }]);
    forward.mockRestore();
    expect((await call).outputs[0]?.shape).toEqual([16, 4]);
    expect(await failureOf(client.infer(image(jpeg)))).toMatchObject([
      'UNAVAILABLE',
      'GHOSTNET_NOT_READY',
      /./,
    ]);
  });

  it('is not there without its option', async () => {
    const server = await startServer({ small: model }, { port: 0, drainDelayMs: 0 });
    closings.push(() => server.close());
    expect(server.grpcPort).toBeUndefined();
  });

  it('needs a port that is free, and leaves none behind', async () => {
    const taken = createTcpServer().listen(0, '127.0.0.1');
    closings.push(() => taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port: grpcPort } = taken.address() as AddressInfo;
    const free = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    expect(await codeOf(() => startServer({ small: model }, { port, grpcPort }))).toBe(
      'GHOSTNET_ADDRESS_UNUSABLE',
    );
    const server = await start({ port });
    expect(server.port).toBe(port);
  });

  it('has arguments', () => {
    const handler = createHandler({ small: model });
    closings.push(() => handler.close());
    const wrong = { code: 'GHOSTNET_INVALID_ARGUMENT' };
    expect(() => {
      addGrpcServices(null as unknown as GrpcServer, handler);
    }).toThrow(expect.objectContaining(wrong) as Error);
    expect(() => {
      addGrpcServices(new GrpcServer(), (() => undefined) as unknown as typeof handler);
    }).toThrow(expect.objectContaining(wrong) as Error);
  });
});
