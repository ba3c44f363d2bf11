import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

import {
  embeddedModel,
  GhostNet,
  inspectWeights,
  Tensor,
  type LabelledImage,
  type TrainOptions,
  type TrainWarning,
} from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf, errorOf } from '../support/errors.js';
import { colours, LabelledFolder, speckled } from '../support/labelled.js';
import { bitsOf, smallStages } from '../support/models.js';
import { plain, toSharp } from '../support/pictures.js';

let cacheDir: string;
let source: GhostNet;
let folder: LabelledFolder;
beforeAll(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), 'ghostnet-train-cache-'));
  // A network that has learned nothing still tells colours apart.
  source = await GhostNet.create({ stages: smallStages, numClasses: 2, seed: 1, inputSize: 32, crop: 1 });
  folder = await LabelledFolder.of(['blue', 'green', 'red'], 10);
}, 60_000);
afterAll(() => {
  rmSync(cacheDir, { recursive: true });
  source.dispose();
  folder[Symbol.dispose]();
});

const train = (images: Parameters<typeof GhostNet.train>[0], options: TrainOptions = {}) =>
  GhostNet.train(images, { from: source, cacheDir, l2: 0.1, ...options });
const red = () =>
  toSharp(plain(40, 40, colours.red ?? []))
    .png()
    .toBuffer();

describe('GhostNet.train', () => {
  it('makes a model that knows the classes of a folder', async () => {
    const before = bitsOf(await source.stateDict());
    const { model, metrics, report } = await train(folder.root);
    expect(model.info.labels).toEqual(['blue', 'green', 'red']);
    expect(model.info).toMatchObject({ inputSize: 32, crop: 1, numClasses: 3 });
    expect((await model.classify(await red(), { topK: 1 }))[0]?.label).toBe('red');
    expect(metrics).toMatchObject({ mode: 'probe', trainImages: 24, images: 6, top1: 1, skipped: [] });
    expect(metrics.confusion).toEqual([
      [2, 0, 0],
      [0, 2, 0],
      [0, 0, 2],
    ]);
    expect(report).toBeUndefined();
    // The source stays as it was, and works.
    expect(bitsOf(await source.stateDict())).toEqual(before);
    expect(source.info.numClasses).toBe(2);
    model.dispose();
    expect(await source.classify(await red())).toHaveLength(2);
  });

  it('gives the same bits again, from a cache or not, by a URL or a path, and others for another seed', async () => {
    const bits = async (options: TrainOptions, images: string | URL = folder.root) => {
      const { model } = await train(images, options);
      return bitsOf(await model.stateDict());
    };
    const first = await bits({});
    expect(await bits({ cache: false }, pathToFileURL(folder.root))).toEqual(first);
    expect(await bits({ seed: 0, valSplit: 0.2 })).toEqual(first);
    expect(await bits({ seed: 1 })).not.toEqual(first);
  });

  it('changes nothing but the classifier, which is a minimum', async () => {
    const { model } = await train(folder.root);
    const [own, made] = [bitsOf(await source.stateDict()), bitsOf(await model.stateDict())];
    const changed = Object.keys(own).filter((name) => own[name]?.bits !== made[name]?.bits);
    expect(changed.sort()).toEqual(['classifier.bias', 'classifier.weight']);
    expect(made['classifier.weight']?.shape).toEqual([3, 1280]);
  });

  it('writes classes, transform, seed and metrics into the file, which load() gives back', async () => {
    const { model, metrics } = await train(folder.root, { seed: 5, valSplit: 0.3, l2: 0.1 });
    const path = join(cacheDir, 'model.safetensors');
    await model.save(path);
    using loaded = await GhostNet.load(path);
    expect(loaded.info).toEqual(model.info);
    expect(loaded.info.training).toEqual({
      mode: 'probe',
      from: 'custom',
      seed: 5,
      valSplit: 0.3,
      trainImages: 21,
      validationImages: 9,
      epochs: 1,
      l2: 0.1,
      top1: metrics.top1,
      loss: Number(metrics.loss.toPrecision(6)),
    });
    const { metadata } = await inspectWeights(path);
    expect(JSON.parse(metadata['ghostnet.training'] ?? '')).toEqual(loaded.info.training);
    expect(await loaded.classify(await red())).toEqual(await model.classify(await red()));
  });

  it('starts from the model that ships with the package', async () => {
    const { model } = await GhostNet.train(folder.root, { cacheDir });
    expect(model.info).toMatchObject({ variant: 'ghostnet_050', inputSize: 64, numClasses: 3 });
    expect(model.info.training?.from).toBe('ghostnet_050_cifar10.safetensors');
  });

  it('starts from a network without a classifier, and from bytes', async () => {
    using headless = await GhostNet.create({ stages: smallStages, numClasses: 0, seed: 1, inputSize: 32 });
    const { model } = await train(folder.root, { from: headless });
    expect(model.info.labels).toEqual(['blue', 'green', 'red']);
    const fromBytes = await train(folder.root, { from: readFileSync(embeddedModel) });
    expect(fromBytes.model.info.training?.from).toBe('bytes');
  });

  it('keeps branches that are not folded', async () => {
    using branches = await GhostNet.create({
      variant: 'ghostnetv3_050',
      numClasses: 2,
      seed: 1,
      inputSize: 64,
    });
    const { model } = await train(folder.root, { from: branches });
    expect(model.info).toMatchObject({ form: 'branches', numClasses: 3 });
  });
});

/** The images of the folder in another form each. */
async function* labelled(): AsyncGenerator<LabelledImage> {
  for (const [label, colour] of Object.entries(colours)) {
    const path = folder.at(`${label}/0.png`);
    yield { label, image: path };
    yield { label, image: pathToFileURL(folder.at(`${label}/1.png`)) };
    yield { label, image: readFileSync(folder.at(`${label}/2.png`)) };
    yield { label, image: Readable.from([readFileSync(folder.at(`${label}/3.png`))]) };
    yield { label, image: new Blob([readFileSync(folder.at(`${label}/4.png`))]) };
    yield { label, image: plain(40, 40, colour) };
    yield { label, image: Tensor.from(new Uint8Array(await speckledPixels(colour)), [40, 40, 3]) };
  }
}
async function speckledPixels(colour: readonly number[]): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp(await speckled(colour, 77))
    .removeAlpha()
    .raw()
    .toBuffer();
}

describe('labelled images', () => {
  it('of every form are trained with, and leave no file behind', async () => {
    const spools = () => readdirSync(tmpdir()).filter((name) => /^ghostnet-train-\w{6}$/.test(name));
    const before = spools();
    const { model, metrics } = await train(labelled(), { report: true });
    expect(metrics).toMatchObject({ trainImages: 18, images: 3, skipped: [] });
    expect((await model.classify(await red(), { topK: 1 }))[0]?.label).toBe('red');
    expect(spools()).toEqual(before);
  });

  it('may be an array, in any order', async () => {
    const images: LabelledImage[] = [];
    for await (const one of labelled())
      if (typeof one.image === 'string' || one.image instanceof Uint8Array) images.push(one);
    const first = await train(images);
    const second = await train([...images].reverse());
    expect(bitsOf(await second.model.stateDict())).toEqual(bitsOf(await first.model.stateDict()));
  });

  it.each<[string, unknown]>([
    ['no label', { image: 'a.jpg' }],
    ['an empty label', { image: 'a.jpg', label: '' }],
    ['a number as label', { image: 'a.jpg', label: 3 }],
    ['no image', { label: 'cat' }],
    ['an image of no known form', { image: 5, label: 'cat' }],
    ['a path alone', 'a.jpg'],
  ])('with %s are refused', async (_, item) => {
    expect(await codeOf(() => train([item as LabelledImage]))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it('that fail, fail the training', async () => {
    async function* failing(): AsyncGenerator<LabelledImage> {
      yield* labelled();
      throw new Error('the source');
    }
    await expect(train(failing())).rejects.toThrow('the source');
  });
});

describe('images that are broken', () => {
  let broken: LabelledFolder;
  beforeAll(async () => {
    broken = await LabelledFolder.of(['blue', 'green', 'red'], 6);
    broken.write('blue/cut.png', (await red()).subarray(0, 60));
    broken.write('red/text.jpg', 'no image');
    broken.write('only broken/x.jpg', 'no image either');
    broken.write('green/copy.png', readFileSync(broken.at('green/0.png')));
    broken.write('red/as-green.png', readFileSync(broken.at('green/0.png')));
  }, 60_000);
  afterAll(() => {
    broken[Symbol.dispose]();
  });

  it('are told by name before the first fit, and left out', async () => {
    const events: string[] = [];
    const warnings: TrainWarning[] = [];
    const { model, metrics } = await train(broken.root, {
      onWarning: (warning) => {
        events.push('warning');
        warnings.push(warning);
      },
      onEpoch: () => events.push('epoch'),
    });
    expect(events.lastIndexOf('warning')).toBeLessThan(events.indexOf('epoch'));
    const told = warnings.map(({ kind, name, code }) => [kind, name.replace(`${broken.root}/`, ''), code]);
    expect(told.sort()).toEqual(
      [
        ['unreadable', 'blue/cut.png', 'GHOSTNET_IMAGE_UNDECODABLE'],
        ['unreadable', 'only broken/x.jpg', 'GHOSTNET_IMAGE_UNDECODABLE'],
        ['unreadable', 'red/text.jpg', 'GHOSTNET_IMAGE_UNDECODABLE'],
        ['empty class', 'only broken', undefined],
        ['two classes', 'red/as-green.png', undefined],
      ].sort(),
    );
    expect(model.info.labels).toEqual(['blue', 'green', 'red']);
    expect(metrics.skipped).toHaveLength(3);
    expect(metrics.trainImages + metrics.images).toBe(20);
  });

  it('are refused if asked for, after all of them are told', async () => {
    const warnings: TrainWarning[] = [];
    const error = await errorOf(() =>
      train(broken.root, { broken: 'refuse', onWarning: (warning) => warnings.push(warning) }),
    );
    expect(error.code).toBe('GHOSTNET_IMAGE_UNDECODABLE');
    expect(error.message).toContain('3 images cannot be read or decoded');
    expect(warnings.filter(({ kind }) => kind === 'unreadable')).toHaveLength(3);
  });

  it('are warnings of the process without onWarning', async () => {
    const warned = new Promise<Error & { code?: string }>((resolve) => process.once('warning', resolve));
    await train(broken.root);
    expect((await warned).name).toBe('GhostNetWarning');
    expect((await warned).code).toBe('GHOSTNET_TRAINING_DATA');
  });
});

describe('a validation of its own', () => {
  it('is what the model is judged by', async () => {
    using other = await LabelledFolder.of(['blue', 'red'], 3);
    other.write('red/known.png', readFileSync(folder.at('red/0.png')));
    const warnings: TrainWarning[] = [];
    const { metrics, model } = await train(folder.root, {
      validation: other.root,
      onWarning: (warning) => warnings.push(warning),
    });
    expect(metrics).toMatchObject({ trainImages: 30, images: 7, top1: 1 });
    expect(metrics.classes.map(({ images }) => images)).toEqual([3, 0, 4]);
    // All of it is known: the same generator made both.
    expect(warnings.map(({ kind }) => kind)).toEqual(['both parts']);
    expect(model.info.training?.valSplit).toBeUndefined();
  });
});

describe('a report', () => {
  it('is a page with the worst mistakes', async () => {
    using mixed = await LabelledFolder.of(['blue', 'red'], 8);
    // Labels that are wrong.
    for (let index = 0; index < 8; ++index)
      mixed.write(`blue/wrong-${index}.png`, await speckled(colours.red ?? [], 500 + index));
    const { report = '', metrics } = await train(mixed.root, { report: true, valSplit: 0.5 });
    expect(metrics.mistakes.length).toBeGreaterThan(0);
    const thumbnails = [...report.matchAll(/<img src="(data:image\/webp;base64,[^"]+)"/g)];
    expect(thumbnails).toHaveLength(metrics.mistakes.length);
    const { default: sharp } = await import('sharp');
    const bytes = Buffer.from(thumbnails[0]?.[1]?.split(',')[1] ?? '', 'base64');
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 40, height: 40 });
  });
});

describe('the options', () => {
  it.each<[string, unknown]>([
    ['an unknown one', { epoch: 3 }],
    ['an unknown mode', { mode: 'probing' }],
    ['a share of all', { valSplit: 1 }],
    ['a share below 0', { valSplit: -0.1 }],
    ['a seed that is no number', { seed: 'x' }],
    ['a negative penalty', { l2: -1 }],
    ['a callback that is none', { onEpoch: 3 }],
    ['a cache that is no flag', { cache: 'yes' }],
    ['another treatment of broken images', { broken: 'ignore' }],
    ['a signal that is none', { signal: {} }],
    ['a network that is none', { from: { stateDict: () => undefined } }],
  ])('with %s are refused', async (_, options) => {
    expect(await codeOf(() => train(folder.root, options as TrainOptions))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });

  it('stop the training with a signal, at any stage', async () => {
    expect(await codeOf(() => train(folder.root, { signal: AbortSignal.abort() }))).toBe('GHOSTNET_ABORTED');
    for (const stage of ['read', 'embed', 'fit']) {
      const stop = new AbortController();
      const onProgress = (progress: { stage: string }) => {
        if (progress.stage === stage) stop.abort(new Error('enough'));
      };
      const error = await errorOf(() =>
        GhostNet.train(folder.root, { from: source, signal: stop.signal, cache: false, onProgress }),
      );
      expect([stage, error.code]).toEqual([stage, 'GHOSTNET_ABORTED']);
    }
  });

  it('tell how far each stage is', async () => {
    const last = new Map<string, { done: number; total: number }>();
    await train(folder.root, {
      cache: false,
      onProgress: ({ stage, done, total }) => last.set(stage, { done, total }),
    });
    expect(last.get('read')).toEqual({ done: 30, total: 30 });
    expect(last.get('embed')).toEqual({ done: 30, total: 30 });
    expect(last.get('fit')?.done).toBeGreaterThan(0);
  });

  it('a cache that cannot be written is a warning, and no more', async () => {
    const file = join(cacheDir, 'file');
    writeFileSync(file, '');
    const warnings: TrainWarning[] = [];
    await train(folder.root, { cacheDir: file, onWarning: (warning) => warnings.push(warning) });
    expect(warnings.map(({ kind, code }) => [kind, code])).toEqual([['cache', 'GHOSTNET_CACHE_UNWRITABLE']]);
  });

  it('a share of 0 judges nothing', async () => {
    const { metrics, model } = await train(folder.root, { valSplit: 0, report: true });
    expect(metrics).toMatchObject({ trainImages: 30, images: 0, top1: NaN });
    expect(model.info.training).not.toHaveProperty('top1');
  });

  it('a model that was disposed of is refused', async () => {
    const gone = await GhostNet.create({ stages: smallStages, numClasses: 2, seed: 1 });
    gone.dispose();
    expect(await codeOf(() => train(folder.root, { from: gone }))).toBe('GHOSTNET_DISPOSED');
  });
});
