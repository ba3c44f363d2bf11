import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { embeddedModel, GhostNet, Tensor } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeSafetensors, type NamedArray } from '../../lib/checkpoint/index.js';
import { torchFile } from '../fixtures/checkpoint/writers.js';
import { runScriptForJson } from '../support/child.js';
import { arraysOf, hexOf, smallStages } from '../support/models.js';
import { noise } from '../support/numbers.js';
import { hasShared, needsShared, sharedFile } from '../support/shared.js';

const input = () => Tensor.from(noise(2 * 3 * 40 * 56), [2, 3, 40, 56]);
const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

async function logitsOf(weights: string | Uint8Array): Promise<string> {
  using model = await GhostNet.load(weights);
  using logits = await model.forward(input());
  return hexOf(logits.data);
}

describe('GhostNet.load', () => {
  it.each([
    ['options alone', () => GhostNet.load({ threads: 1, crop: 0.5 })],
    ['options after undefined', () => GhostNet.load(undefined, { threads: 1, crop: 0.5 })],
    ['options after the path', () => GhostNet.load(embeddedModel, { threads: 1, crop: 0.5 })],
  ])('takes %s', async (_, load) => {
    using model = await load();
    expect(model.info).toMatchObject({ variant: 'ghostnet_050', numClasses: 10, threads: 1, crop: 0.5 });
  });

  it('takes options without any in them', async () => {
    using model = await GhostNet.load({});
    using embedded = await GhostNet.load();
    expect(model.info).toEqual(embedded.info);
  });

  it.each(['zip', 'legacy'] as const)('gives the same network from %s as from safetensors', async (kind) => {
    using model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 3, seed: 4 });
    const state = await arraysOf(model);
    const expected = hexOf((await model.forward(input())).data);
    expect(await logitsOf(writeSafetensors(state, {}))).toBe(expected);
    expect(await logitsOf(torchFile(kind, state, 2))).toBe(expected);
  });

  it.skipIf(!hasShared)(`gives one network from three containers${needsShared}`, async () => {
    const logits = await Promise.all(
      ['safetensors', 'zip.pth', 'legacy.pth'].map((ending) =>
        logitsOf(sharedFile(`models/ghostnet_050_cifar10.${ending}`)),
      ),
    );
    using embedded = await GhostNet.load(embeddedModel);
    expect(new Set(logits)).toEqual(new Set([hexOf((await embedded.forward(input())).data)]));
  });
});

/** The representation of a float32 in each dtype, and the value read back from it. */
const held: Record<'float16' | 'bfloat16' | 'float64', (values: Float32Array) => [Uint8Array, Float32Array]> =
  {
    float64: (values) => [bytesOf(Float64Array.from(values)), values],
    // The upper half of the bits, truncated instead of rounded, which is also a valid bfloat16.
    bfloat16: (values) => {
      const bits = Uint32Array.from(new Uint32Array(values.slice().buffer), (word) => word & 0xffff0000);
      return [bytesOf(Uint16Array.from(bits, (word) => word >>> 16)), new Float32Array(bits.buffer)];
    },
    // For normal float16 values: the sign, five bits of exponent, ten of mantissa. Smaller values become 0.
    float16: (values) => {
      const halves = Uint16Array.from(new Uint32Array(values.slice().buffer), (word) => {
        const exponent = ((word >>> 23) & 255) - 127 + 15;
        const sign = (word >>> 16) & 0x8000;
        return exponent < 1 || exponent > 30 ? sign : sign | (exponent << 10) | ((word >>> 13) & 1023);
      });
      const back = Uint32Array.from(halves, (half) => {
        const sign = (half & 0x8000) << 16;
        return half & 0x7c00
          ? sign | ((((half >>> 10) & 31) + 127 - 15) << 23) | ((half & 1023) << 13)
          : sign;
      });
      return [bytesOf(halves), new Float32Array(back.buffer)];
    },
  };

describe.each(['float16', 'bfloat16', 'float64'] as const)('weights of dtype %s', (dtype) => {
  it.each(['safetensors', 'zip', 'legacy'] as const)('become float32, exactly, from %s', async (kind) => {
    using model = await GhostNet.create({ stages: smallStages, numClasses: 3, seed: 8 });
    const expected = new Map<string, string>();
    const state = (await arraysOf(model)).map(([name, array]): [string, NamedArray] => {
      if (array.dtype !== 'float32') return [name, array];
      const [data, back] = held[dtype](new Float32Array(array.data.buffer));
      expected.set(name, hexOf(back));
      return [name, { ...array, dtype, data }];
    });
    const file = kind === 'safetensors' ? writeSafetensors(state, {}) : torchFile(kind, state, 2);
    using loaded = await GhostNet.load(file);
    let compared = 0;
    for (const [name, tensor] of await loaded.stateDict()) {
      if (!expected.has(name)) continue;
      expect(tensor.dtype, name).toBe('float32');
      expect(hexOf(tensor.data), name).toBe(expected.get(name));
      compared += 1;
    }
    expect(compared).toBe(expected.size);
  });
});

describe('the memory that a load takes', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ghostnet-load-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each(['safetensors', 'zip', 'legacy'] as const)(
    'is at most three times the file and 64 MiB: %s',
    async (kind) => {
      using model = await GhostNet.create({ variant: 'ghostnet_200', seed: 1 });
      const state = await arraysOf(model);
      const file = kind === 'safetensors' ? writeSafetensors(state, {}) : torchFile(kind, state, 2);
      const path = join(folder, kind);
      writeFileSync(path, file);
      const { before, peak } = await runScriptForJson<{ before: number; peak: number }>('load-memory.mjs', {
        args: [path],
      });
      expect(file.length).toBeGreaterThan(50 * 2 ** 20);
      expect(peak - before).toBeLessThan(3 * file.length + 64 * 2 ** 20);
    },
  );
});
