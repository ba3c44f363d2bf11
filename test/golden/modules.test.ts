import { ghostModule, type Tensor } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { floatsOf, readGolden, stateTensors, tensorOf } from '../support/golden.js';
import { relativeError } from '../support/numbers.js';
import { hasShared, needsShared, sharedFile } from '../support/shared.js';

interface Case {
  readonly oup: number;
  readonly stride: number;
  readonly relu: boolean;
}

async function checkModule(path: string | URL): Promise<void> {
  const golden = readGolden(path);
  const { oup, stride, relu } = JSON.parse(golden.metadata.case ?? '') as Case;
  const x = tensorOf(golden, 'input') as Tensor<'float32'>;
  const result = await ghostModule(x, stateTensors(golden), { outChannels: oup, stride, relu });
  expect(result.shape).toEqual(golden.arrays.get('output')?.shape);
  expect(relativeError(result.data, floatsOf(golden, 'output'))).toBeLessThan(1e-5);
}

describe('ghost modules computed by the reference', () => {
  it.each(['module_0', 'module_4'])('%s', async (name) => {
    await checkModule(new URL(`data/${name}.safetensors`, import.meta.url));
  });

  it.skipIf(!hasShared).each(['module_1', 'module_2', 'module_3', 'module_5', 'module_6'])(
    `%s${needsShared}`,
    async (name) => {
      await checkModule(sharedFile(`golden/${name}.safetensors`));
    },
  );
});
