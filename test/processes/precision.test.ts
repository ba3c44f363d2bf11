import { GhostNet, Tensor, type ModelOptions } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { runScript } from '../support/child.js';
import { codeOf } from '../support/errors.js';
import { noiseBytes, relativeError } from '../support/numbers.js';
import { hasBfloat16, narrow, needsBfloat16 } from '../support/processor.js';

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);

describe('precision', () => {
  it('is float32 by default', async () => {
    using model = await GhostNet.load();
    expect(model.info.precision).toBe('float32');
  });

  it.skipIf(!hasBfloat16)(`bfloat16 computes the same network, less exactly${needsBfloat16}`, async () => {
    using exact = await GhostNet.load(undefined, { threads: 1 });
    using narrow = await GhostNet.load(undefined, { threads: 1, precision: 'bfloat16' });
    expect(narrow.info.precision).toBe('bfloat16');
    const input = Tensor.from(noiseBytes(3 * 96 * 64 * 3), [3, 96, 64, 3]);
    const error = relativeError((await narrow.forward(input)).data, (await exact.forward(input)).data);
    expect(error).toBeLessThan(2e-2);
    // A result equal to the last bit was not computed in bfloat16.
    expect(error).toBeGreaterThan(1e-5);
    expect(relativeError((await narrow.embed(input)).data, (await exact.embed(input)).data)).toBeLessThan(
      3e-2,
    );
  });

  it.skipIf(!hasBfloat16)(
    `bfloat16 is a matter of the model, not of its weights${needsBfloat16}`,
    async () => {
      using narrow = await GhostNet.create({ variant: 'ghostnet_050', seed: 1, precision: 'bfloat16' });
      using exact = await GhostNet.create({ variant: 'ghostnet_050', seed: 1 });
      const [a, b] = await Promise.all([narrow.stateDict(), exact.stateDict()]);
      expect([...a.keys()]).toEqual([...b.keys()]);
      for (const [name, { data }] of a) {
        expect(Buffer.compare(bytesOf(data), bytesOf(b.get(name)?.data ?? new Float32Array()))).toBe(0);
      }
    },
  );

  // Even if the processor has the instructions: the variable limits the engine to fewer.
  it.each(narrow)('bfloat16 is rejected with a code below AVX-512: %s', async (capability) => {
    const { code, stdout, stderr } = await runScript('precision.mjs', {
      args: ['bfloat16'],
      env: { GHOSTNET_CPU_CAPABILITY: capability },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(['GHOSTNET_UNSUPPORTED_PRECISION', 'GHOSTNET_UNSUPPORTED_PRECISION']);
    expect(stderr).toContain('AVX512_BF16');
    expect(stderr).toContain("'float32'");
  });

  it('bfloat16 is there where the processor has the instructions, and only there', async () => {
    const { stdout } = await runScript('precision.mjs', {
      args: ['bfloat16'],
      env: { GHOSTNET_CPU_CAPABILITY: '' },
    });
    const expected = hasBfloat16 ? 'none' : 'GHOSTNET_UNSUPPORTED_PRECISION';
    expect(JSON.parse(stdout)).toEqual([expected, expected]);
  });

  it.each(['float16', 'tf32'] as const)('%s is rejected with a code on any processor', async (precision) => {
    expect(await codeOf(() => GhostNet.create({ variant: 'ghostnet_050', precision }))).toBe(
      'GHOSTNET_UNSUPPORTED_PRECISION',
    );
  });

  it.each<[string, ModelOptions]>([
    ['an unknown precision', { precision: 'int8' as 'float32' }],
    ['bfloat16 of the reference', { precision: 'bfloat16', backend: 'reference' }],
  ])('%s is refused', async (_, options) => {
    expect(await codeOf(() => GhostNet.create({ variant: 'ghostnet_050', ...options }))).toBe(
      'GHOSTNET_INVALID_ARGUMENT',
    );
  });
});
