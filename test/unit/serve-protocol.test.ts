import { gzipSync } from 'node:zlib';

import { Tensor, type GhostNet } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { gradient, toSharp } from '../support/pictures.js';
import { fetchJson, served, smallModel, type JsonAnswer, type Served } from '../support/served.js';

// The Open Inference Protocol, version 2, with Triton's extensions, over HTTP.

let model: GhostNet;
let jpeg: Buffer;
let server: Served;

beforeAll(async () => {
  ({ model, jpeg } = await smallModel());
  server = await served(model);
});
afterAll(async () => {
  await server.close();
  model.dispose();
});

const get = (path: string): Promise<JsonAnswer> => fetchJson(server.url + path);
const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<JsonAnswer> =>
  fetchJson(server.url + path, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

interface ResponseTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly (number | string)[];
  readonly parameters?: { readonly binary_data_size: number };
}
const outputsOf = ({ body }: JsonAnswer): readonly ResponseTensor[] => body.outputs as ResponseTensor[];
const image = (): object => ({
  name: 'image',
  datatype: 'BYTES',
  shape: [1, 1],
  data: [jpeg.toString('base64')],
});

/** A binary BYTES tensor. */
const elements = (...contents: Buffer[]): Buffer =>
  Buffer.concat(
    contents.flatMap((content) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(content.byteLength);
      return [length, content];
    }),
  );

/** Sends JSON with binary data behind it, and reads the same. */
async function exchange(json: object, behind: Buffer, headers: Record<string, string> = {}) {
  const head = Buffer.from(JSON.stringify(json));
  const response = await fetch(`${server.url}/v2/models/small/infer`, {
    method: 'POST',
    headers: { 'Inference-Header-Content-Length': String(head.byteLength), ...headers },
    body: Buffer.concat([head, behind]),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const length = response.headers.get('inference-header-content-length');
  const end = length === null ? bytes.byteLength : Number(length);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: JSON.parse(bytes.subarray(0, end).toString()) as JsonAnswer['body'],
    behind: bytes.subarray(end),
  };
}

const floats = (bytes: Uint8Array): number[] => [...new Float32Array(Uint8Array.from(bytes).buffer)];

async function logitsOf(tensor: Tensor): Promise<number[]> {
  const result = await model.forward(tensor as Tensor<'float32', readonly [number, 3, number, number]>);
  return [...result.data];
}

describe('the server', () => {
  it('describes itself, its health and its models', async () => {
    expect((await get('/v2')).body).toMatchObject({
      name: 'ghostnet',
      extensions: expect.arrayContaining(['binary_tensor_data']) as unknown,
    });
    expect((await get('/v2/')).status).toBe(200);
    expect((await get('/v2/health/live')).body).toEqual({ live: true });
    expect((await get('/v2/health/ready')).body).toEqual({ ready: true, live: true });
    expect((await get('/v2/models/small/ready')).body).toEqual({ name: 'small', version: '1', ready: true });
    expect((await get('/v2/models/other/versions/2/ready')).status).toBe(200);
    expect((await get('/v2/models/other')).body).toEqual({
      name: 'other',
      versions: ['1', '2'],
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

  it("has Triton's configuration, statistics and index", async () => {
    expect((await get('/v2/models/small/config')).body).toMatchObject({
      name: 'small',
      backend: 'ghostnet',
      max_batch_size: 256,
    });
    await post('/v2/models/small/infer', { inputs: [image()] });
    const one = (await get('/v2/models/small/stats')).body.model_stats as Record<string, unknown>[];
    expect(one).toHaveLength(1);
    expect(one[0]).toMatchObject({ name: 'small', version: '1' });
    expect(one[0]?.inference_count).toBeGreaterThan(0);
    expect(one[0]?.last_inference).toBeGreaterThan(Date.now() - 60_000);
    const [batch] = one[0]?.batch_stats as { compute_infer: { count: number; ns: number } }[];
    expect(batch?.compute_infer.ns).toBeGreaterThan(0);
    expect((await get('/v2/models/stats')).body.model_stats).toHaveLength(3);
    const index = await post('/v2/repository/index', {});
    expect(index.body).toEqual([
      { name: 'other', version: '1', state: 'READY', reason: '' },
      { name: 'other', version: '2', state: 'READY', reason: '' },
      { name: 'small', version: '1', state: 'READY', reason: '' },
    ]);
    expect((await post('/v2/repository/models/small/unload', {})).body.code).toBe('GHOSTNET_NOT_FOUND');
  });

  it('answers requests in JSON with all outputs, those of the model itself', async () => {
    const answer = await post('/v2/models/small/infer', { id: 'a/1', inputs: [image()] });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.body).toMatchObject({ model_name: 'small', model_version: '1', id: 'a/1' });
    const [logits, probabilities, embedding] = outputsOf(answer);
    expect([logits?.name, logits?.datatype, logits?.shape]).toEqual(['logits', 'FP32', [1, 4]]);
    expect(logits?.data).toEqual(await logitsOf(await model.preprocess(jpeg)));
    const scores = (await model.classify(jpeg, { topK: 4 }))
      .sort((a, b) => a.index - b.index)
      .map(({ score }) => score);
    expect(probabilities?.data).toEqual(scores);
    expect(embedding?.shape).toEqual([1, 1280]);
    expect(embedding?.data).toEqual([...(await model.embed(jpeg)).data]);
  });

  it('answers with the outputs that are asked for, in their order', async () => {
    const outputs = [{ name: 'embedding' }, { name: 'logits' }];
    const answer = await post('/v2/models/other/versions/1/infer', { inputs: [image()], outputs });
    expect(answer.body.model_version).toBe('1');
    expect(outputsOf(answer).map(({ name }) => name)).toEqual(['embedding', 'logits']);
    // Without a version, the last.
    expect((await post('/v2/models/other/infer', { inputs: [image()], outputs })).body.model_version).toBe(
      '2',
    );
  });

  it('takes several pictures, and keeps their order', async () => {
    const turned = await toSharp(gradient(60, 90)).negate().jpeg().toBuffer();
    const answer = await exchange(
      {
        inputs: [
          {
            name: 'image',
            datatype: 'BYTES',
            shape: [2],
            parameters: { binary_data_size: elements(jpeg, turned).length },
          },
        ],
        outputs: [{ name: 'logits' }],
      },
      elements(jpeg, turned),
    );
    expect(outputsOf(answer as never)[0]?.shape).toEqual([2, 4]);
    const [one, other] = await Promise.all(
      [jpeg, turned].map(async (file) => logitsOf(await model.preprocess(file))),
    );
    expect(outputsOf(answer as never)[0]?.data).toEqual([...(one ?? []), ...(other ?? [])]);
  });

  it('says which of several pictures is wrong', async () => {
    const data = [jpeg, Buffer.from('no picture'), jpeg].map((file) => file.toString('base64'));
    const answer = await post('/v2/models/small/infer', { inputs: [{ ...image(), shape: [3], data }] });
    expect([answer.status, answer.body.error]).toEqual([415, expect.stringContaining('image 2 of 3')]);
  });

  it('takes and gives binary data', async () => {
    const content = elements(jpeg);
    const input = {
      name: 'image',
      datatype: 'BYTES',
      shape: [1, 1],
      parameters: { binary_data_size: content.length },
    };
    const outputs = [{ name: 'probabilities' }, { name: 'logits', parameters: { binary_data: true } }];
    const mixed = await exchange({ inputs: [input], outputs }, content);
    expect(mixed.type).toBe('application/octet-stream');
    const [probabilities, logits] = outputsOf(mixed as never);
    expect(probabilities?.data).toHaveLength(4);
    expect(logits?.parameters).toEqual({ binary_data_size: 16 });
    expect(floats(mixed.behind)).toEqual(await logitsOf(await model.preprocess(jpeg)));
    // As tritonclient asks when it names no output.
    const all = await exchange({ inputs: [input], parameters: { binary_data_output: true } }, content);
    expect(all.behind).toHaveLength(4 * (4 + 4 + 1280));
  });

  it('takes a picture alone, without any JSON', async () => {
    const response = await fetch(`${server.url}/v2/models/small/infer`, {
      method: 'POST',
      headers: { 'Inference-Header-Content-Length': '0' },
      body: jpeg,
    });
    expect(response.status).toBe(200);
    const bytes = Buffer.from(await response.arrayBuffer());
    const end = Number(response.headers.get('inference-header-content-length'));
    expect(floats(bytes.subarray(end, end + 16))).toEqual(await logitsOf(await model.preprocess(jpeg)));
  });

  it('takes tensors: float32 [N,3,H,W] and uint8 [N,H,W,3], nested, flat or binary', async () => {
    const values = Float32Array.from({ length: 2 * 3 * 40 * 33 }, (_, index) => Math.sin(index));
    const expected = await logitsOf(Tensor.from(values, [2, 3, 40, 33]));
    const shape = [2, 3, 40, 33];
    const outputs = [{ name: 'logits' }];
    const flat = { name: 'pixel_values', datatype: 'FP32', shape, data: [...values] };
    expect(outputsOf(await post('/v2/models/small/infer', { inputs: [flat], outputs }))[0]?.data).toEqual(
      expected,
    );
    const rows = (list: readonly number[], lengths: readonly number[]): unknown => {
      const [length = 1, ...rest] = lengths;
      if (rest.length === 0) return list;
      const step = list.length / length;
      return Array.from({ length }, (_, at) => rows(list.slice(at * step, (at + 1) * step), rest));
    };
    const nested = { ...flat, data: rows([...values], shape) };
    expect(outputsOf(await post('/v2/models/small/infer', { inputs: [nested], outputs }))[0]?.data).toEqual(
      expected,
    );
    const bytes = Buffer.from(values.buffer);
    const binary = {
      name: 'pixel_values',
      datatype: 'FP32',
      shape,
      parameters: { binary_data_size: bytes.length },
    };
    expect(outputsOf((await exchange({ inputs: [binary], outputs }, bytes)) as never)[0]?.data).toEqual(
      expected,
    );

    const pixels = Uint8Array.from({ length: 34 * 35 * 3 }, (_, index) => index % 251);
    const uint8 = { name: 'pixel_values', datatype: 'UINT8', shape: [1, 34, 35, 3], data: [...pixels] };
    expect(outputsOf(await post('/v2/models/small/infer', { inputs: [uint8], outputs }))[0]?.data).toEqual(
      await logitsOf(Tensor.from(pixels, [1, 34, 35, 3])),
    );
  });

  it('counts tensors as it counts pictures', async () => {
    const counts = async () => {
      const [stats] = (await get('/v2/models/small/stats')).body.model_stats as {
        inference_count: number;
        execution_count: number;
        inference_stats: { success: { count: number }; fail: { count: number; ns: number } };
      }[];
      const { success, fail } = stats?.inference_stats ?? {
        success: { count: 0 },
        fail: { count: 0, ns: 0 },
      };
      return [stats?.inference_count, stats?.execution_count, success.count, fail.count] as number[];
    };
    const before = await counts();
    const pixels = {
      name: 'pixel_values',
      datatype: 'UINT8',
      shape: [3, 32, 32, 3],
      data: Array(9216).fill(7),
    };
    expect(
      (await post('/v2/models/small/infer', { inputs: [pixels], outputs: [{ name: 'logits' }] })).status,
    ).toBe(200);
    const small = { ...pixels, shape: [1, 1, 1, 3], data: [1, 2, 3] };
    expect((await post('/v2/models/small/infer', { inputs: [small] })).status).toBe(400);
    expect((await counts()).map((count, index) => count - (before[index] ?? 0))).toEqual([3, 1, 3, 1]);
  });

  it("gives classes by Triton's extension", async () => {
    const outputs = [
      { name: 'probabilities', parameters: { classification: 2 } },
      { name: 'logits', parameters: { classification: 9 } },
    ];
    const answer = await post('/v2/models/small/infer', { inputs: [image()], outputs });
    const [probabilities, logits] = outputsOf(answer);
    const best = await model.classify(jpeg, { topK: 2 });
    expect(probabilities).toMatchObject({ datatype: 'BYTES', shape: [1, 2] });
    expect(probabilities?.data).toEqual(best.map(({ score, index, label }) => `${score}:${index}:${label}`));
    expect(logits?.shape).toEqual([1, 4]);
    const content = elements(jpeg);
    const binary = await exchange(
      {
        inputs: [
          { name: 'image', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: content.length } },
        ],
        outputs: [{ name: 'probabilities', parameters: { classification: 1, binary_data: true } }],
      },
      content,
    );
    expect(binary.behind.readUInt32LE(0)).toBe(binary.behind.length - 4);
    expect(binary.behind.subarray(4).toString()).toBe(probabilities?.data?.[0]);
  });

  it('takes compressed bodies', async () => {
    const response = await fetch(`${server.url}/v2/models/small/infer`, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify({ inputs: [image()], outputs: [{ name: 'logits' }] })),
    });
    expect(response.status).toBe(200);
  });

  it('ends the wait of a client that says how long it waits', async () => {
    const wait = { inputs: [image()], parameters: { timeout: 60_000_000 } };
    expect((await post('/v2/models/small/infer', wait)).status).toBe(200);
  });
});

describe('a request that is wrong', () => {
  const content = (): string => jpeg.toString('base64');
  const good = (change: object): object => ({ inputs: [{ ...image(), ...change }] });
  const pixels = (change: object): object => ({
    inputs: [
      { name: 'pixel_values', datatype: 'FP32', shape: [1, 3, 32, 32], data: Array(3072).fill(0), ...change },
    ],
  });
  const cases: [string, () => unknown, number, string, RegExp][] = [
    ['no JSON', () => '{', 400, 'GHOSTNET_BAD_REQUEST', /not JSON/],
    ['a list', () => [], 400, 'GHOSTNET_BAD_REQUEST', /no object/],
    ['no inputs', () => ({}), 400, 'GHOSTNET_BAD_REQUEST', /one input/],
    ['inputs that are no list', () => ({ inputs: {} }), 400, 'GHOSTNET_BAD_REQUEST', /list of at most 100/],
    [
      'an input that is no object',
      () => ({ inputs: [1] }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /list of at most 100/,
    ],
    ['two inputs', () => ({ inputs: [image(), image()] }), 400, 'GHOSTNET_BAD_REQUEST', /Found 2/],
    ['an unknown input', () => good({ name: 'x\u001b[31m' }), 400, 'GHOSTNET_BAD_REQUEST', /"x\\u001b/],
    [
      'an input without a name',
      () => good({ name: undefined }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /name of an input/,
    ],
    ['another datatype', () => good({ datatype: 'FP32' }), 400, 'GHOSTNET_BAD_REQUEST', /Expected BYTES/],
    ['another shape', () => good({ shape: [1, 2] }), 400, 'GHOSTNET_BAD_REQUEST', /\[N,1\]/],
    ['no shape', () => good({ shape: undefined }), 400, 'GHOSTNET_BAD_REQUEST', /whole numbers/],
    ['a negative length', () => good({ shape: [-1] }), 400, 'GHOSTNET_BAD_REQUEST', /whole numbers/],
    ['too many dimensions', () => good({ shape: Array(9).fill(1) }), 400, 'GHOSTNET_BAD_REQUEST', /1 to 8/],
    [
      'more elements than the shape',
      () => good({ data: [content(), content()] }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /Found 2/,
    ],
    ['no data', () => good({ data: undefined }), 400, 'GHOSTNET_BAD_REQUEST', /a list/],
    ['text that is no base64', () => good({ data: ['?'] }), 400, 'GHOSTNET_BAD_REQUEST', /base64/],
    ['numbers for pictures', () => good({ data: [1] }), 400, 'GHOSTNET_BAD_REQUEST', /base64/],
    [
      'a damaged picture',
      () => good({ data: [content().slice(0, 400)] }),
      422,
      'GHOSTNET_IMAGE_UNDECODABLE',
      /damaged/,
    ],
    ['what is no picture', () => good({ data: ['AAAA'] }), 415, 'GHOSTNET_MEDIA_TYPE', /000000/],
    [
      'binary data without the header',
      () => good({ data: undefined, parameters: { binary_data_size: 5 } }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /Header-Content-Length/,
    ],
    [
      'too many images',
      () => good({ shape: [257], data: Array(257).fill('/9j/') }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /1 to 256/,
    ],
    [
      'an unknown output',
      () => ({ inputs: [image()], outputs: [{ name: 'x' }] }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /logits, probabilities, embedding/,
    ],
    [
      'an output twice',
      () => ({ inputs: [image()], outputs: [{ name: 'logits' }, { name: 'logits' }] }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /twice/,
    ],
    [
      'classes of embeddings',
      () => ({ inputs: [image()], outputs: [{ name: 'embedding', parameters: { classification: 1 } }] }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /no classes/,
    ],
    ['an id that is no string', () => ({ id: 5, inputs: [image()] }), 400, 'GHOSTNET_BAD_REQUEST', /id/],
    [
      'an unknown datatype of a tensor',
      () => pixels({ datatype: '__proto__' }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /UINT8/,
    ],
    ['too few numbers', () => pixels({ data: [1] }), 400, 'GHOSTNET_BAD_REQUEST', /Found 1/],
    [
      'a huge shape',
      () => pixels({ shape: [2 ** 40, 3, 224, 224] }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /another number/,
    ],
    [
      'text for numbers',
      () => pixels({ data: Array(3072).fill('0') }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /finite numbers/,
    ],
    [
      'bytes above 255',
      () => pixels({ datatype: 'UINT8', shape: [1, 32, 32, 3], data: Array(3072).fill(256) }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /0 to 255/,
    ],
    [
      'a shape that the network does not take',
      () => pixels({ shape: [1, 32, 32, 3] }),
      400,
      'GHOSTNET_BAD_SHAPE',
      /N,3,H,W/,
    ],
    [
      'a small tensor',
      () => pixels({ shape: [1, 3, 1, 1], data: [0, 0, 0] }),
      400,
      'GHOSTNET_BAD_SHAPE',
      /at least 32/,
    ],
    [
      'numbers beyond float32',
      () => pixels({ data: Array(3072).fill(1e300) }),
      400,
      'GHOSTNET_BAD_REQUEST',
      /finite/,
    ],
    [
      'nesting without end',
      () => `{"inputs":${'['.repeat(300_000)}`,
      400,
      'GHOSTNET_BAD_REQUEST',
      /too many parts/,
    ],
  ];
  it.each(cases)('is told what is wrong: %s', async (_, body, status, code, message) => {
    const answer = await post('/v2/models/small/infer', body());
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.error).toMatch(message);
    expect(Object.keys(answer.body)).toEqual(['error', 'code']);
  });

  it.each([
    ['an element longer than the body', Buffer.from([255, 255, 255, 255, 1]), 1, /4 bytes with its length/],
    ['half a length', Buffer.from([1, 0]), 1, /4 bytes with its length/],
    ['fewer elements', elements(Buffer.from('a')), 2, /fewer/],
    ['more elements', elements(Buffer.from('a'), Buffer.from('b')), 1, /do not end/],
  ])('is told what is wrong with its binary data: %s', async (_, behind, count, message) => {
    const input = {
      name: 'image',
      datatype: 'BYTES',
      shape: [count],
      parameters: { binary_data_size: behind.length },
    };
    const { status, body } = await exchange({ inputs: [input] }, behind);
    expect([status, body.code]).toEqual([400, 'GHOSTNET_BAD_REQUEST']);
    expect(body.error).toMatch(message);
  });

  it.each([
    ['no number', 'x', /wrong value/],
    ['a length beyond the body', '999999', /wrong value/],
    ['a length that cuts the JSON', '3', /not JSON/],
  ])('is told what is wrong with Inference-Header-Content-Length: %s', async (_, length, message) => {
    const { status, body } = await exchange({ inputs: [image()] }, Buffer.alloc(0), {
      'Inference-Header-Content-Length': length,
    });
    expect([status, body.code]).toEqual([400, 'GHOSTNET_BAD_REQUEST']);
    expect(body.error).toMatch(message);
  });

  it('is told of bytes that belong to no input', async () => {
    const { status, body } = await exchange({ inputs: [image()] }, Buffer.alloc(7));
    expect([status, body.error]).toEqual([400, expect.stringContaining('7 further bytes')]);
  });

  it.each([
    ['GET', '/v2/models/none', 404, 'GHOSTNET_UNKNOWN_MODEL'],
    ['GET', '/v2/models/small/versions/9', 404, 'GHOSTNET_UNKNOWN_MODEL'],
    ['POST', '/v2/models/%00/infer', 404, 'GHOSTNET_UNKNOWN_MODEL'],
    ['POST', '/v2/models/%E0%A4%A/infer', 404, 'GHOSTNET_UNKNOWN_MODEL'],
    ['GET', '/v3', 404, 'GHOSTNET_NOT_FOUND'],
    ['GET', '/v2/models', 404, 'GHOSTNET_NOT_FOUND'],
    ['POST', '/v2/health/live', 405, 'GHOSTNET_METHOD_NOT_ALLOWED'],
    ['DELETE', '/v2/models/small', 405, 'GHOSTNET_METHOD_NOT_ALLOWED'],
    ['GET', '/v2/models/small/infer', 405, 'GHOSTNET_METHOD_NOT_ALLOWED'],
    ['GET', '/classify', 405, 'GHOSTNET_METHOD_NOT_ALLOWED'],
  ])('%s %s is %i', async (method, path, status, code) => {
    const answer = await fetchJson(server.url + path, { method });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/^(GET, HEAD|POST)$/);
  });
});
