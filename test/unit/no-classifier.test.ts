import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { GhostNet, inspectWeights, Tensor } from 'ghostnet';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeSafetensors, type NamedArray } from '../../lib/checkpoint/index.js';
import { torchFile } from '../fixtures/checkpoint/writers.js';
import { codeOf, errorOf } from '../support/errors.js';
import { arraysOf, bitsOf, hexOf, smallStages } from '../support/models.js';
import { noise } from '../support/numbers.js';
import { gradient } from '../support/pictures.js';

let folder: string;
let whole: GhostNet;
let backbone: [string, NamedArray][];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-backbone-'));
  whole = await GhostNet.create({ stages: smallStages, numClasses: 3, seed: 1 });
  backbone = (await arraysOf(whole)).filter(([name]) => !name.startsWith('classifier.'));
});
afterAll(() => {
  whole.dispose();
  rmSync(folder, { recursive: true });
});

const input = () => Tensor.from(noise(2 * 3 * 40 * 56), [2, 3, 40, 56]);
const image = gradient(64, 64);

describe.each(['safetensors', 'torch.save'])('a network without a classifier, in %s', (container) => {
  const load = () =>
    GhostNet.load(container === 'safetensors' ? writeSafetensors(backbone) : torchFile('zip', backbone));

  it('embeds tensors, images and streams as the whole network does', async () => {
    using model = await load();
    expect(model.info).toMatchObject({ numClasses: 0, labels: [], features: 1280 });
    expect(hexOf((await model.embed(input())).data)).toBe(hexOf((await whole.embed(input())).data));
    const expected = hexOf((await whole.embed(image)).data);
    expect(hexOf((await model.embed(image)).data)).toBe(expected);
    const pipeline = model.pipeline({ output: 'embed' });
    expect(hexOf(await pipeline.run(image))).toBe(expected);
  });

  it('has no logits and no classes', async () => {
    using model = await load();
    for (const call of [
      () => model.forward(input()),
      () => model.classify(image),
      () => model.classify([image], { topK: 1 }),
      () => model.pipeline(),
      () => model.pipeline({ output: 'classify', topK: 1 }),
    ]) {
      const error = await errorOf(call);
      expect(error.code).toBe('GHOSTNET_NO_CLASSIFIER');
      expect(error.message).toContain('embed()');
    }
  });

  it('is the same after it was saved', async () => {
    using model = await load();
    const path = join(folder, `saved-${container}`);
    await model.save(path);
    using again = await GhostNet.load(path);
    expect(again.info).toEqual(model.info);
    expect(bitsOf(await again.stateDict())).toEqual(bitsOf(new Map(backbone)));
    expect(model.summary()).toContain('conv_head');
    expect(model.summary()).not.toContain('classifier');
  });

  it('lacks nothing else', async () => {
    const cut = backbone.filter(([name]) => name !== 'conv_head.bias');
    const error = await errorOf(() => GhostNet.load(writeSafetensors(cut)));
    expect(error.code).toBe('GHOSTNET_PARAMETERS_MISMATCH');
    expect(error.message).toContain('conv_head.bias');
    expect(await inspectWeights(writeSafetensors(cut))).toMatchObject({ missing: ['conv_head.bias'] });
  });
});

describe('a folder of a network without a classifier', () => {
  it('has no class either', async () => {
    const place = mkdtempSync(join(folder, 'hub-'));
    writeFileSync(join(place, 'model.safetensors'), writeSafetensors(backbone));
    const write = (config: object) => {
      writeFileSync(join(place, 'config.json'), JSON.stringify({ architecture: 'ghostnet_100', ...config }));
    };
    write({ num_classes: 0 });
    using model = await GhostNet.load(place);
    expect(model.info.numClasses).toBe(0);
    expect(await inspectWeights(place)).toMatchObject({ numClasses: 0, reason: undefined, missing: [] });
    write({ num_classes: 3 });
    expect(await codeOf(() => GhostNet.load(place))).toBe('GHOSTNET_MALFORMED_FILE');
  });
});

describe('the command line', () => {
  const cli = (...args: string[]) => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder });
  };

  it('describes, converts and times a network without a classifier, and does not classify with it', async () => {
    mkdirSync(join(folder, 'photos'));
    const { data, width, height } = image;
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(folder, 'photos', 'a.png'));
    writeFileSync(join(folder, 'backbone.safetensors'), writeSafetensors(backbone));
    const refused = cli('classify', '-m', 'backbone.safetensors', 'photos');
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('[GHOSTNET_NO_CLASSIFIER]');
    expect(refused.stdout).toBe('');
    const described = cli('info', 'backbone.safetensors');
    expect(described.status).toBe(0);
    expect(JSON.parse(described.stdout)).toMatchObject({ numClasses: 0, labels: [] });
    expect(cli('convert', 'backbone.safetensors', 'out', '--dtype', 'float16').status).toBe(0);
    expect(readFileSync(join(folder, 'out')).length).toBeGreaterThan(0);
    const bench = ['bench', '-m', 'backbone.safetensors', '--batch', '1', '--threads', '1', '--seconds', '0'];
    expect(cli(...bench).status).toBe(0);
    expect(cli('doctor', '-m', 'backbone.safetensors').status).toBe(0);
  });
});
