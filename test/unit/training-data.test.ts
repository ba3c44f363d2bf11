import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readFolderByClass } from '../../lib/training/dataset.js';
import { cacheName, EmbeddingCache } from '../../lib/training/embedding-cache.js';
import { evaluate } from '../../lib/training/metrics.js';
import { hashFiles } from '../../lib/training/samples.js';
import { splitSamples } from '../../lib/training/split.js';
import type { Sample, TrainWarning } from '../../lib/training/types.js';
import { codeOf, errorOf } from '../support/errors.js';
import { noise } from '../support/numbers.js';
import { Tree } from '../support/tree.js';

/** A folder as a data set, and what was told. */
async function read(folder: string, known?: readonly string[]) {
  const warnings: TrainWarning[] = [];
  const dataset = await readFolderByClass(folder, { warn: (warning) => warnings.push(warning) }, known);
  return { ...dataset, warnings };
}

describe('a folder with a folder for each class', () => {
  it('has its classes by code point, with the images at any depth', async () => {
    using tree = new Tree([
      'b/1.jpg',
      'a/2.png',
      'a/deep/3.JPG',
      'B/4.webp',
      'é/5.gif',
      '😀/6.png',
      'ｚ/7.png',
    ]);
    const { classes, files, warnings } = await read(tree.root);
    // U+FF5A comes before U+1F600, but after it in UTF-16.
    expect(classes).toEqual(['B', 'a', 'b', 'é', 'ｚ', '😀']);
    expect(files.map(({ path, label }) => [path.slice(tree.root.length + 1), label])).toEqual([
      ['B/4.webp', 0],
      ['a/2.png', 1],
      ['a/deep/3.JPG', 1],
      ['b/1.jpg', 2],
      ['é/5.gif', 3],
      ['ｚ/7.png', 4],
      ['😀/6.png', 5],
    ]);
    expect(warnings).toEqual([]);
  });

  it('passes over what is no image, hidden folders and files, and tells of empty classes and images of no class', async () => {
    using tree = new Tree([
      'cat/1.jpg',
      'dog/1.jpg',
      'dog/notes.txt',
      'dog/.2.jpg',
      '.git/3.jpg',
      'empty/',
      'x.jpg',
      'y.heic',
    ]);
    tree.add('dog/4.heic');
    const { classes, files, warnings } = await read(tree.root);
    expect(classes).toEqual(['cat', 'dog']);
    expect(files).toHaveLength(2);
    expect(warnings.map(({ kind, name }) => [kind, name.slice(tree.root.length + 1)])).toEqual([
      ['no class', ''],
      ['empty class', 'empty'],
      ['format', ''],
    ]);
  });

  it('follows links to folders, and tells of links that lead nowhere', async () => {
    using tree = new Tree({ 'cat/1.jpg': 'file', 'dog/1.jpg': 'file', 'dog/2.jpg': { linkTo: 'nowhere' } });
    symlinkSync(tree.at('cat'), tree.at('again'));
    const { classes, warnings } = await read(tree.root);
    expect(classes).toEqual(['again', 'cat', 'dog']);
    expect(warnings.map(({ kind, code }) => [kind, code])).toEqual([
      ['unreadable', 'GHOSTNET_FILE_NOT_FOUND'],
    ]);
  });

  it.each([
    ['no class', []],
    ['one class', ['cat/1.jpg', 'cat/2.jpg', 'empty/']],
    ['images without classes', ['1.jpg', '2.jpg']],
  ])('is refused with %s', async (_, leaves) => {
    using tree = new Tree(leaves);
    const error = await errorOf(() => read(tree.root));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(error.message).toContain('at least 2 classes');
  });

  it('is refused if its folders are the parts of a data set', async () => {
    using tree = new Tree(['val/cat/1.jpg', 'train/cat/1.jpg']);
    const error = await errorOf(() => read(tree.root));
    expect(error.remedy).toContain(`${tree.root}/train, and ${tree.root}/val as the option validation`);
  });

  it('is refused if it is missing or a file', async () => {
    using tree = new Tree(['file']);
    expect(await codeOf(() => read(tree.at('missing')))).toBe('GHOSTNET_FILE_NOT_FOUND');
    expect(await codeOf(() => read(tree.at('file')))).toBe('GHOSTNET_FILE_NOT_FOUND');
  });

  it('of a validation has no other classes', async () => {
    using tree = new Tree(['cat/1.jpg']);
    expect((await read(tree.root, ['bird', 'cat'])).files).toMatchObject([{ label: 1 }]);
    expect(await codeOf(() => read(tree.root, ['bird', 'dog']))).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});

describe('the files of a data set', () => {
  it('have the hash of their content, and those that cannot be read are told of', async () => {
    using tree = new Tree(['a/1.png']);
    writeFileSync(tree.at('a/1.png'), 'content');
    const warnings: TrainWarning[] = [];
    const files = ['a/1.png', 'a/gone.png'].map((name) => ({ name, path: tree.at(name), label: 3 }));
    const samples = await hashFiles(files, { warn: (warning) => warnings.push(warning) });
    // printf content | sha256sum
    const key = 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73';
    expect(samples).toEqual([{ name: 'a/1.png', path: tree.at('a/1.png'), label: 3, key }]);
    expect(warnings).toMatchObject([
      { kind: 'unreadable', name: 'a/gone.png', code: 'GHOSTNET_FILE_NOT_FOUND' },
    ]);
  });
});

const sample = (label: number, content: number, path = `${label}-${content}`): Sample => ({
  path,
  label,
  key: content.toString(16).padStart(64, '0'),
});

describe('the split of a data set', () => {
  const samples = Array.from({ length: 300 }, (_, index) => sample(index % 3 === 0 ? 0 : 1, index));
  const paths = (list: readonly Sample[]) => new Set(list.map(({ path }) => path));

  it('takes the share of each class, and everything is on one side', () => {
    const { train, validation } = splitSamples(samples, { share: 0.2, seed: 0 });
    expect(validation.filter(({ label }) => label === 0)).toHaveLength(20);
    expect(validation.filter(({ label }) => label === 1)).toHaveLength(40);
    expect(paths([...train, ...validation]).size).toBe(300);
  });

  it('depends on contents and seed, not on names or order', () => {
    const keys = (list: readonly Sample[]) => list.map(({ key }) => key);
    const first = splitSamples(samples, { share: 0.2, seed: 7 });
    const other = splitSamples(
      [...samples].reverse().map((one) => ({ ...one, path: `elsewhere/${one.path}` })),
      {
        share: 0.2,
        seed: 7,
      },
    );
    expect(keys(other.validation)).toEqual(keys(first.validation));
    expect(keys(other.train)).toEqual(keys(first.train));
    expect(keys(splitSamples(samples, { share: 0.2, seed: 8 }).validation)).not.toEqual(
      keys(first.validation),
    );
  });

  it('moves few images when some are added', () => {
    const before = paths(splitSamples(samples, { share: 0.2, seed: 0 }).validation);
    const more = [...samples, ...Array.from({ length: 10 }, (_, index) => sample(0, 1000 + index))];
    const after = splitSamples(more, { share: 0.2, seed: 0 }).validation;
    const kept = after.filter(({ path }) => before.has(path));
    expect(kept.length).toBeGreaterThanOrEqual(before.size - 10);
  });

  it('keeps equal contents on one side, also those of several classes', () => {
    const copies = samples.flatMap((one) => [
      one,
      { ...one, path: `${one.path} copy` },
      { ...one, label: 1, path: `${one.path} other` },
    ]);
    // What is at the border differs from seed to seed.
    for (let seed = 0; seed < 20; ++seed) {
      const { train, validation } = splitSamples(copies, { share: 0.31, seed });
      const keys = new Set(train.map(({ key }) => key));
      expect(validation.filter(({ key }) => keys.has(key))).toEqual([]);
      expect(train.length + validation.length).toBe(copies.length);
    }
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 1],
    [10, 9],
  ])('of %i images takes at least one and never all: %i of 90 %%', (count, expected) => {
    const few = Array.from({ length: count }, (_, index) => sample(0, index));
    expect(splitSamples(few, { share: count === 3 ? 0.01 : 0.99, seed: 0 }).validation).toHaveLength(
      expected,
    );
  });

  it('takes none for a share of 0', () => {
    expect(splitSamples(samples, { share: 0, seed: 0 }).validation).toEqual([]);
  });
});

describe('the cache of embeddings', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'ghostnet-embeddings-'));
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });
  const key = (number: number) => number.toString(16).padStart(64, '0');
  const vectors = (from: number, count: number) =>
    new Map(Array.from({ length: count }, (_, index) => [key(from + index), noise(7, from + index)]));
  const cache = (name: string, mostBytes = 1e6) =>
    new EmbeddingCache({ root, mostBytes }, cacheName([name]), 7);
  const folder = (name: string) => join(root, 'embeddings', cacheName([name]));

  it('gives back what was added, bit by bit, and only what is asked for', async () => {
    await cache('a').add(vectors(0, 5));
    await cache('a').add(vectors(5, 5));
    const found = await cache('a').read(new Set([key(2), key(7), key(99)]));
    expect(found).toEqual(new Map([...vectors(2, 1), ...vectors(7, 1)]));
    expect(await cache('b').read(new Set([key(2)]))).toEqual(new Map());
  });

  it.each([
    ['a changed byte', (bytes: Buffer) => ((bytes[60] = (bytes[60] ?? 0) ^ 1), bytes)],
    ['a missing end', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['nothing', () => Buffer.alloc(0)],
    ['another form', (bytes: Buffer) => ((bytes[20] = 50), bytes)],
  ])('does not believe a segment with %s', async (name, change) => {
    await cache(name).add(vectors(0, 3));
    const [segment = ''] = readdirSync(folder(name));
    const path = join(folder(name), segment);
    expect((await cache(name).read(new Set([key(0)]))).size).toBe(1);
    writeFileSync(path, change(readFileSync(path)));
    expect((await cache(name).read(new Set([key(0)]))).size).toBe(0);
  });

  it('does not believe what others could have written, and follows no link', async () => {
    await cache('own').add(vectors(0, 3));
    const [segment = ''] = readdirSync(folder('own'));
    mkdirSync(folder('link'), { recursive: true });
    symlinkSync(join(folder('own'), segment), join(folder('link'), segment));
    expect((await cache('link').read(new Set([key(0)]))).size).toBe(0);
    const { chmod } = await import('node:fs/promises');
    await chmod(join(folder('own'), segment), 0o666);
    expect((await cache('own').read(new Set([key(0)]))).size).toBe(0);
  });

  it('removes what was used least recently, over all networks', async () => {
    rmSync(join(root, 'embeddings'), { recursive: true });
    await cache('old', 1e4).add(vectors(0, 10));
    await cache('older', 1e4).add(vectors(10, 10));
    const at = (name: string) => join(folder(name), readdirSync(folder(name))[0] ?? '');
    const { size } = statSync(at('old'));
    utimesSync(at('old'), 100, 100);
    utimesSync(at('older'), 50, 50);
    // What is read is used.
    await cache('old').read(new Set([key(0)]));
    await cache('new', 2.5 * size).add(vectors(20, 10));
    expect(readdirSync(folder('older'))).toEqual([]);
    expect(readdirSync(folder('old'))).toHaveLength(1);
    expect(readdirSync(folder('new'))).toHaveLength(1);
  });
});

describe('the evaluation of scores', () => {
  const judged = (label: number, name: string) => ({ label, name, path: name });

  it('counts, and lists the most certain mistakes first', () => {
    const scores = Float32Array.of(0.7, 0.2, 0.1, 0.1, 0.6, 0.3, 0.2, 0.7, 0.1, 0.9, 0.05, 0.05);
    const samples = [judged(0, 'a'), judged(1, 'b'), judged(0, 'c'), judged(2, 'd')];
    const result = evaluate(samples, ['x', 'y', 'z'], scores);
    expect(result).toMatchObject({ images: 4, top1: 0.5, top5: 1 });
    expect(result.loss).toBeCloseTo(-(Math.log(0.7) + Math.log(0.6) + Math.log(0.2) + Math.log(0.05)) / 4, 6);
    expect(result.confusion).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [1, 0, 0],
    ]);
    expect(result.classes).toEqual([
      { label: 'x', images: 2, precision: 0.5, recall: 0.5 },
      { label: 'y', images: 1, precision: 0.5, recall: 1 },
      { label: 'z', images: 1, precision: NaN, recall: 0 },
    ]);
    expect(result.mistakes.map(({ name, label, predicted }) => [name, label, predicted])).toEqual([
      ['d', 'z', 'x'],
      ['c', 'x', 'y'],
    ]);
  });

  it('gives equal scores to the first class, as classify() does, and counts the best five', () => {
    const equal = new Float32Array(7).fill(1 / 7);
    const classes = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect(evaluate([judged(0, 'x')], classes, equal)).toMatchObject({ top1: 1, top5: 1 });
    expect(evaluate([judged(4, 'x')], classes, equal)).toMatchObject({ top1: 0, top5: 1 });
    expect(evaluate([judged(5, 'x')], classes, equal)).toMatchObject({ top1: 0, top5: 0 });
  });

  it('is NaN where there is nothing', () => {
    expect(evaluate([], ['x', 'y'], new Float32Array(0))).toMatchObject({ images: 0, top1: NaN, loss: NaN });
  });
});
