import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  cacheFolder,
  embeddedModel,
  GhostNet,
  GhostNetError,
  ghostModule,
  inspectWeights,
  pullWeights,
  Tensor,
} from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listImages } from '../../lib/sources/list-images.js';
import type { Source } from '../../lib/sources/source.js';
import { smallStages } from '../support/models.js';

const folder = mkdtempSync(join(tmpdir(), 'ghostnet-messages-'));
const small = { stages: smallStages, numClasses: 2, inputSize: 32, threads: 1 };
let model: GhostNet;
beforeAll(async () => {
  model = await GhostNet.create(small);
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true });
});

/** Texts that fill a log, or act on a terminal. None is the name of a file that exists. */
const texts = {
  'a megabyte': 'x'.repeat(2 ** 20),
  'a megabyte of words': 'a b '.repeat(2 ** 18),
  'a megabyte of control characters': '\x1b'.repeat(2 ** 20),
  'a long path': `/${'no/'.repeat(1_300)}`,
  'control characters': '/no/\x1b]0;x\x07\r\n\t\x7f\x9b\u2028\u202e\u2066',
};
const harmful = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

type Call = (text: string) => unknown;

const image = { data: new Uint8Array(3 * 64 * 64), width: 64, height: 64 };
const floats = () => Tensor.empty('float32', [1, 1, 1, 1]);
const entry = { name: 'n', url: 'https://example.com/n', supported: true, variant: 'v', sha256: undefined };
const pulled = (own: object, registry: object = {}) =>
  pullWeights('n', {
    registry: [{ ...entry, ...registry }],
    offline: true,
    cacheDir: folder,
    ...own,
  } as object);

async function listed(source: unknown): Promise<void> {
  for await (const { error } of listImages(source as Source)) if (error !== undefined) throw error;
}

/** Calls of the package, with a text where one goes, or where another value should be. */
const calls: Record<string, Call> = {
  ...ofOptions(
    'create',
    'variant backend device precision colorProfile decode decoder interpolation threads seed width dropout crop mean stages labels signal',
    (option) => GhostNet.create({ numClasses: 2, ...option }),
  ),
  ...ofOptions(
    'load',
    'backend device precision weights interpolation maxFileBytes allowNonFinite',
    (option) => GhostNet.load(embeddedModel, option),
  ),
  ...ofOptions('pipeline', 'output whenFull maxQueue maxBatch topK timeoutMs', (option) =>
    model.pipeline(option),
  ),
  ...ofOptions('classify', 'topK batchSize signal', (option) => model.classify(image, option)),
  ...ofOptions('pullWeights', 'cacheDir timeouts attempts registry', (option) => pulled(option)),
  ...ofOptions('a registry', 'url sha256', (option) => pulled({}, option)),
  'the variant of weights that are not supported': (text) => pulled({}, { supported: false, variant: text }),
  'a source of load': (text) => GhostNet.load(text),
  'a URL of load': (text) => GhostNet.load(new URL(`file:///no/${encodeURIComponent(text)}`)),
  'another URL of load': (text) => GhostNet.load(new URL(`https://example.com/${encodeURIComponent(text)}`)),
  'a source of inspectWeights': (text) => inspectWeights(text),
  'a name of pullWeights': (text) => pullWeights(text),
  'a path of save': (text) => model.save(`/no/folder/${text}`),
  'an image': (text) => model.classify(text),
  'a URL as image': (text) => model.classify(`http://${text}`),
  'the name of a file': (text) => model.classify(new File(['no picture'], text)),
  'raw pixels': (text) => model.classify({ data: text, width: text, height: text } as never),
  'the name of a class': (text) => {
    const named = Object.defineProperty(() => undefined, 'name', { value: text });
    return model.classify({ constructor: named } as never);
  },
  'an error of the caller': (text) =>
    model.classify({
      get data(): Uint8Array {
        throw new Error(text);
      },
      width: 1,
      height: 1,
    }),
  'an input': (text) => model.forward(text as never),
  'a size': (text) => model.summary({ height: text, width: text } as never),
  'a dtype': (text) => Tensor.empty(text as never, [1]),
  'a shape': (text) => Tensor.empty('uint8', [text] as never),
  'the name of a weight': (text) => ghostModule(floats(), { [text]: 1 } as never),
  'the name of another weight': (text) => ghostModule(floats(), { [text]: floats() }),
  'a home folder': (text) => cacheFolder({ env: text as never, platform: 'linux', home: '/' }),
  'a path of listImages': (text) => listed(text),
  'a glob of listImages': (text) => listed(`/no/${text}*`),
  'a list of listImages': (text) => listed({ filesFrom: text }),
  'a separator of listImages': (text) => listed({ filesFrom: '/no/list', separator: text }),
  'the name of an array': (text) => {
    const shortened = text.slice(0, 100_000);
    return GhostNet.load(withHeader({ [shortened]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }));
  },
  'a dtype in a file': (text) => {
    const dtype = text.slice(0, 100_000);
    return GhostNet.load(withHeader({ a: { dtype, shape: [1], data_offsets: [0, 4] } }));
  },
};

function ofOptions(call: string, names: string, make: (option: object) => unknown): Record<string, Call> {
  return Object.fromEntries(
    names.split(' ').map((name) => [`the option ${name} of ${call}`, (text) => make({ [name]: text })]),
  );
}

/** A safetensors file with this header, and four bytes of data. */
function withHeader(header: object): Uint8Array {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return new Uint8Array(Buffer.concat([length, json, Buffer.alloc(4)]));
}

describe('the message about', () => {
  it.each(Object.entries(calls))('%s is short and harmless', async (_, call) => {
    let errors = 0;
    for (const [kind, text] of Object.entries(texts)) {
      const error = await Promise.resolve(text)
        .then(call)
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
      // A text may be as good as any, such as the name of a class.
      if (error === undefined) continue;
      errors += 1;
      expect(error, kind).toBeInstanceOf(GhostNetError);
      const { message } = error as GhostNetError;
      expect(message.length, kind).toBeLessThan(1_200);
      expect(harmful.test(message), kind).toBe(false);
    }
    expect(errors).toBeGreaterThan(0);
  });
});
