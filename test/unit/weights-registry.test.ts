import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GhostNet } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { cacheFolder, weightsPath } from '../../lib/weights/cache.js';
import { findWeights, weightsRegistry, type WeightsEntry } from '../../lib/weights/registry.js';

function entryNamed(name: string): WeightsEntry {
  const entry = weightsRegistry.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new Error(`no entry ${name}`);
  return entry;
}

describe('the labels of ImageNet-1k', () => {
  const labels = JSON.parse(
    readFileSync(new URL('../../models/imagenet1k.labels.json', import.meta.url), 'utf8'),
  ) as string[];

  it('are 1,000 short names, all different even to a reader who ignores case', () => {
    expect(labels).toHaveLength(1000);
    expect(new Set(labels.map((label) => label.toLowerCase())).size).toBe(1000);
    for (const label of labels) expect(label).toMatch(/^[A-Za-z][A-Za-z0-9 '()-]{1,30}$/);
  });

  it.each([
    [0, 'tench'],
    [1, 'goldfish'],
    [2, 'great white shark'],
    [22, 'bald eagle'],
    [134, 'crane (bird)'],
    [151, 'Chihuahua'],
    [207, 'golden retriever'],
    [263, 'Pembroke Welsh corgi'],
    [264, 'Cardigan Welsh corgi'],
    [281, 'tabby'],
    [285, 'Egyptian cat'],
    [340, 'zebra'],
    [388, 'giant panda'],
    [404, 'airliner'],
    [474, 'cardigan'],
    [517, 'crane (machine)'],
    [638, 'maillot (tights)'],
    [639, 'maillot (tank suit)'],
    [657, 'missile'],
    [744, 'projectile'],
    [779, 'school bus'],
    [817, 'sports car'],
    [954, 'banana'],
    [980, 'volcano'],
    [999, 'toilet tissue'],
  ])('class %i is %s', (index, label) => {
    expect(labels[index]).toBe(label);
  });
});

describe('the registry', () => {
  it('has unique names and sound facts', () => {
    expect(new Set(weightsRegistry.map(({ name }) => name)).size).toBe(weightsRegistry.length);
    for (const entry of weightsRegistry) {
      expect(entry.name).toMatch(/^[a-z0-9_.-]+$/);
      expect(new URL(entry.url).protocol).toBe('https:');
      if (entry.sha256 !== undefined) expect(entry.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(entry.sha256 === undefined).toBe(entry.bytes === undefined);
    }
  });

  it('knows the weights of GhostNet 1.0x', () => {
    expect(findWeights('ghostnet_100')).toMatchObject({
      variant: 'ghostnet_100',
      url: 'https://huggingface.co/timm/ghostnet_100.in1k/resolve/main/model.safetensors',
      sha256: '8efbcf55d97872c828768b096d4ebebc51f8b7e29623fd3b3933d78cc230e2e2',
      bytes: 20871632,
      inputSize: 224,
      crop: 0.875,
      interpolation: 'bicubic',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    });
  });

  it('suggests the nearest name, and lists the usable names', () => {
    expect(() => findWeights('ghostnet-100')).toThrow(
      expect.objectContaining({
        code: 'GHOSTNET_UNKNOWN_MODEL',
        expected: expect.stringMatching(/^one of ghostnet_100, ghostnetv2_100, /) as string,
        remedy: 'Did you mean ghostnet_100?',
      }),
    );
    expect(() => findWeights('ghostnetv2_106')).toThrow(
      expect.objectContaining({
        remedy:
          'There are no published weights for ghostnetv2_106; did you mean ghostnetv2_100? ' +
          "GhostNet.create({ variant: 'ghostnetv2_106' }) makes this network with new weights.",
      }),
    );
    expect(() => findWeights('ghostnetV2')).toThrow(
      expect.objectContaining({ remedy: 'Did you mean ghostnetv2_100?' }),
    );
    expect(() => findWeights('resnet50')).toThrow(
      expect.objectContaining({
        code: 'GHOSTNET_UNKNOWN_MODEL',
        remedy: expect.stringContaining('names') as string,
      }),
    );
  });

  it('keeps a message short whatever the name', () => {
    let message = '';
    try {
      findWeights('g'.repeat(1e6));
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.length).toBeGreaterThan(0);
    expect(message.length).toBeLessThan(600);
  });

  it('knows the weights of the whole family, each of a network that can be created', async () => {
    const names = weightsRegistry.map(({ name }) => name);
    expect(names).toEqual([
      ...['ghostnet_100', 'ghostnetv2_100', 'ghostnetv2_130', 'ghostnetv2_160', 'ghostnetv3_100'],
      ...['050', '058', '080', '100', '111', '130', '150', '200'].map((width) => `repghostnet_${width}`),
    ]);
    for (const { variant } of weightsRegistry) {
      using model = await GhostNet.create({ variant, numClasses: 1 });
      expect(model.info.variant).toBe(variant);
    }
  });

  it('is suggested where a file of nearly such a name is not found', async () => {
    await expect(GhostNet.load('ghostnetv2_10')).rejects.toMatchObject({
      code: 'GHOSTNET_FILE_NOT_FOUND',
      remedy: expect.stringContaining('npx ghostnet pull ghostnetv2_100') as string,
    });
    await expect(GhostNet.load('timm/ghostnetv2_100.in1k')).rejects.toMatchObject({
      remedy: expect.stringContaining('npx ghostnet pull ghostnetv2_100') as string,
    });
    await expect(GhostNet.load('ghostnetv2_090')).rejects.toMatchObject({
      code: 'GHOSTNET_FILE_NOT_FOUND',
      remedy: expect.stringMatching(
        /^There are no published weights for ghostnetv2_090; .*create\(\{ variant: 'ghostnetv2_090' \}\)/,
      ) as string,
    });
    await expect(GhostNet.load('ghostnet_first_100')).rejects.toMatchObject({
      remedy: expect.stringMatching(/^There are no published weights for ghostnet_first_100\. /) as string,
    });
    await expect(GhostNet.load('ghostnet_first_100')).rejects.not.toMatchObject({
      remedy: expect.stringContaining('pull') as string,
    });
    await expect(GhostNet.load('./ghostnetv2_10')).rejects.not.toMatchObject({
      remedy: expect.stringContaining('pull') as string,
    });
  });
});

describe('the cache folder', () => {
  const home = '/home/ada';
  const linux = 'linux' as const;

  it('is GHOSTNET_CACHE before all else, made absolute', () => {
    const env = { GHOSTNET_CACHE: 'weights', XDG_CACHE_HOME: '/xdg' };
    expect(cacheFolder({ env, platform: linux, home })).toBe(resolve('weights'));
  });

  it('is under XDG_CACHE_HOME, if that is absolute', () => {
    expect(cacheFolder({ env: { XDG_CACHE_HOME: '/xdg' }, platform: linux, home })).toBe(
      join('/xdg', 'ghostnet'),
    );
    const relative = { GHOSTNET_CACHE: '', XDG_CACHE_HOME: 'xdg' };
    expect(cacheFolder({ env: relative, platform: linux, home })).toBe(join(home, '.cache', 'ghostnet'));
  });

  it('is where each system keeps caches', () => {
    expect(cacheFolder({ env: {}, platform: linux, home })).toBe(join(home, '.cache', 'ghostnet'));
    expect(cacheFolder({ env: {}, platform: 'darwin', home })).toBe(
      join(home, 'Library', 'Caches', 'ghostnet'),
    );
    expect(cacheFolder({ env: { LOCALAPPDATA: '/local' }, platform: 'win32', home })).toBe(
      join('/local', 'ghostnet', 'Cache'),
    );
    expect(cacheFolder({ env: {}, platform: 'win32', home })).toBe(
      join(home, 'AppData', 'Local', 'ghostnet', 'Cache'),
    );
  });

  it('has a place of its own for every version of every file', () => {
    const { sha256 = '' } = entryNamed('ghostnet_100');
    expect(weightsPath(entryNamed('ghostnet_100'), '/cache')).toBe(
      resolve('/cache', 'weights', 'ghostnet_100', sha256, 'model.safetensors'),
    );
    expect(weightsPath(entryNamed('ghostnetv3_100'), '/cache')).toBe(
      resolve('/cache', 'weights', 'ghostnetv3_100', 'unverified', 'ghostnetv3-1.0.pth.tar'),
    );
  });

  it.each([
    { name: '../../etc' },
    { name: '..' },
    { sha256: 'a/b' },
    { url: 'https://weights.example/' },
    { url: 'https://weights.example/..%2f..%2fmodel' },
    { url: 'no address' },
  ])('is not left by an entry with %o', (change) => {
    expect(() => weightsPath({ ...entryNamed('ghostnet_100'), ...change }, '/cache')).toThrow(
      expect.objectContaining({ code: 'GHOSTNET_INVALID_ARGUMENT' }),
    );
  });
});
