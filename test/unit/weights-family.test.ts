import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GhostNet, inspectWeights, type Tensor } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readCheckpoint, writeSafetensors, type NamedArray } from '../../lib/checkpoint/index.js';
import { floatsOf, readGolden, stateFile, tensorOf, type Golden } from '../support/golden.js';
import { relativeError } from '../support/numbers.js';

const goldenOf = (name: string): Golden =>
  readGolden(new URL(`../golden/data/${name}.safetensors`, import.meta.url));

/** The state dict of a golden case under other names. */
function renamedFile(golden: Golden, rename: (name: string) => string): Uint8Array {
  return writeSafetensors(
    golden.state.map(([name, array]) => [rename(name), array] as const),
    {},
  );
}

async function logitsOf(source: string | Uint8Array, golden: Golden): Promise<Float32Array> {
  using model = await GhostNet.load(source);
  const input = tensorOf(golden, 'input') as Tensor<'float32'>;
  return Float32Array.from((await model.forward(input)).data);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-family-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const v3 = goldenOf('network_v3_branches');
/** The names of the authors' code, where timm has `bn1`. */
const authors = (name: string) => name.replace(/(_rpr_(?:conv\.\d+|scale))\.bn1\./, '$1.bn.');

describe('a GhostNetV3', () => {
  it('loads under the names of its authors, and says what was renamed', async () => {
    const file = renamedFile(v3, authors);
    expect(await logitsOf(file, v3)).toEqual(await logitsOf(stateFile(v3), v3));
    const report = await inspectWeights(file);
    expect(report.renamed.length).toBeGreaterThan(100);
    expect(report.renamed[0]?.[0]).toMatch(/\.bn\./);
  });

  it('under both names at once is refused, whatever the order of the keys', async () => {
    const [name, array] = v3.state.find(([key]) => key.includes('cheap_rpr_scale.bn1.weight')) ?? [];
    if (name === undefined || array === undefined) throw new Error('no such array');
    const twice = [authors(name), array] as const;
    for (const arrays of [
      [...v3.state, twice],
      [twice, ...v3.state],
    ]) {
      await expect(GhostNet.load(writeSafetensors(arrays, {}))).rejects.toMatchObject({
        code: 'GHOSTNET_PARAMETERS_MISMATCH',
        message: expect.stringContaining(authors(name)) as string,
      });
    }
  });

  it('that cannot be folded into numbers is not written', async () => {
    const state = v3.state.map(([key, array]) => {
      if (!key.endsWith('cheap_rpr_skip.running_var')) return [key, array] as const;
      const data = new Uint8Array(new Float32Array(array.data.byteLength / 4).fill(-1).buffer);
      return [key, { ...array, data }] as const;
    });
    using model = await GhostNet.load(writeSafetensors(state, {}));
    const path = join(folder, 'negative.safetensors');
    await expect(model.save(path, { deploy: true })).rejects.toMatchObject({
      code: 'GHOSTNET_WEIGHTS_NOT_FINITE',
    });
    expect(existsSync(path)).toBe(false);
  });

  it('of the early code, with a branch more, is refused by the name of that branch', async () => {
    const extra = 'blocks.0.0.ghost1.primary_rpr_skip.weight';
    const array: NamedArray = { dtype: 'float32', shape: [1], data: new Uint8Array(4) };
    const file = writeSafetensors([...v3.state, [extra, array]], {});
    await expect(GhostNet.load(file)).rejects.toMatchObject({
      code: 'GHOSTNET_UNSUPPORTED_FORMAT',
      message: expect.stringContaining(extra) as string,
    });
  });

  it('folds into a deployed form of the same bits each time, within 1e-6 of the branches', async () => {
    const [first, second] = [join(folder, 'first.safetensors'), join(folder, 'second.safetensors')];
    using model = await GhostNet.load(stateFile(v3));
    await model.save(first, { deploy: true });
    await model.save(second, { deploy: true });
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);

    using deployed = await GhostNet.load(first);
    expect(deployed.info).toMatchObject({ form: 'deployed', stages: model.info.stages });
    expect(deployed.info.parameters).toBeLessThan(model.info.parameters);
    expect(relativeError(await logitsOf(first, v3), floatsOf(v3, 'output'))).toBeLessThan(1e-5);
    using branches = await GhostNet.load(stateFile(v3), { backend: 'reference' });
    using folded = await GhostNet.load(first, { backend: 'reference' });
    const input = tensorOf(v3, 'input') as Tensor<'float32'>;
    const [expected, actual] = [await branches.forward(input), await folded.forward(input)];
    expect(relativeError(actual.data, expected.data)).toBeLessThan(1e-6);

    const again = join(folder, 'again.safetensors');
    await deployed.save(again, { deploy: true });
    expect(readFileSync(again).equals(readFileSync(first))).toBe(true);
  });

  it('keeps its branches if nothing else is asked for', async () => {
    const path = join(folder, 'branches.safetensors');
    using model = await GhostNet.load(stateFile(v3));
    await model.save(path);
    const { arrays } = readCheckpoint(readFileSync(path));
    expect([...arrays.keys()].sort()).toEqual(v3.state.map(([name]) => name).sort());
  });

  it('folds to the arrays that timm folds to', async () => {
    const expected = goldenOf('network_v3_deployed');
    using model = await GhostNet.load(stateFile(v3));
    const state = await model.stateDict({ deploy: true });
    expect([...state.keys()].sort()).toEqual(expected.state.map(([name]) => name).sort());
    for (const [name, { shape, dtype }] of expected.state) {
      expect(state.get(name)?.shape).toEqual(shape);
      if (dtype !== 'float32') continue;
      const golden = floatsOf(expected, `state.${name}`);
      expect(relativeError(state.get(name)?.data as Float32Array, golden), name).toBeLessThan(1e-6);
    }
  });
});

describe('a GhostNetV2', () => {
  const v2 = goldenOf('network_v2');

  it('has 33 pixels as its least side', async () => {
    using model = await GhostNet.load(stateFile(goldenOf('network')));
    expect(model.info.leastSide).toBe(32);
    using newer = await GhostNet.create({ variant: 'ghostnetv2_050', numClasses: 2, seed: 1 });
    expect(newer.info.leastSide).toBe(33);
    const side = (length: number) => ({ height: length, width: length });
    expect(() => newer.summary(side(32))).toThrow(
      expect.objectContaining({
        code: 'GHOSTNET_BAD_SHAPE',
        expected: expect.stringContaining('33') as string,
      }),
    );
    expect(newer.summary(side(33))).toContain('Sigmoid');
    await expect(GhostNet.create({ variant: 'ghostnetv2_050', inputSize: 32 })).rejects.toMatchObject({
      code: 'GHOSTNET_INVALID_ARGUMENT',
      expected: 'at least 33 pixels',
    });
  });

  it('with a smaller size in its metadata is a malformed file', async () => {
    const stages = goldenOf('network_v2').metadata.case ?? '';
    const { width, num_classes: numClasses } = JSON.parse(stages) as { width: number; num_classes: number };
    const table = [
      [[3, 16, 16, 0, 1]],
      [[3, 48, 24, 0, 2]],
      [[3, 48, 24, 0, 2]],
      [[3, 48, 24, 0, 2]],
      [[3, 48, 24, 0, 2]],
      [[3, 48, 24, 0, 1, 1]],
    ] as const;
    const path = join(folder, 'deep.safetensors');
    using model = await GhostNet.create({ stages: table, width, numClasses, inputSize: 64 });
    await model.save(path);
    const { arrays, metadata } = readCheckpoint(readFileSync(path));
    const changed = {
      ...metadata,
      ghostnet: (metadata.ghostnet ?? '').replace('"inputSize":64', '"inputSize":32'),
    };
    const file = writeSafetensors(arrays, changed);
    await expect(GhostNet.load(file)).rejects.toMatchObject({
      code: 'GHOSTNET_MALFORMED_FILE',
      message: expect.stringContaining('too small') as string,
    });
    using given = await GhostNet.load(file, { inputSize: 48 });
    expect(given.info.leastSide).toBe(33);
  });

  it('keeps its stage table, attention included, through a file', async () => {
    const path = join(folder, 'v2.safetensors');
    using model = await GhostNet.load(stateFile(v2));
    await model.save(path);
    using loaded = await GhostNet.load(path);
    expect(loaded.info.stages).toEqual(model.info.stages);
    expect(await logitsOf(path, v2)).toEqual(await logitsOf(stateFile(v2), v2));
  });

  it('is made of a stage table with attention', async () => {
    const stages = [
      [[3, 16, 16, 0, 1]],
      [
        [3, 48, 24, 0, 2, 0],
        [5, 72, 24, 0.25, 1, 1],
      ],
    ] as const;
    using model = await GhostNet.create({ stages, width: 0.5, numClasses: 3, inputSize: 40 });
    expect(model.info.stages).toEqual([
      [[3, 16, 16, 0, 1]],
      [
        [3, 48, 24, 0, 2],
        [5, 72, 24, 0.25, 1, 1],
      ],
    ]);
    const wrong = [[[3, 16, 16, 0, 1, 2]]] as unknown as typeof stages;
    await expect(GhostNet.create({ stages: wrong })).rejects.toMatchObject({
      code: 'GHOSTNET_INVALID_ARGUMENT',
    });
  });
});

describe('the network of the first GhostNet code', () => {
  const first = goldenOf('network_first_code');

  it('is read under the names of that code, in any wrapper', async () => {
    const report = await inspectWeights(renamedFile(first, (name) => `module.${name}`));
    expect(report).toMatchObject({ reason: undefined, missing: [], unexpected: [], prefix: 'module.' });
    expect(report.renamed).toContainEqual([
      'features.1.conv.3.primary_conv.0.weight',
      'blocks.0.0.ghost2.primary_conv.0.weight',
    ]);
    expect(await logitsOf(stateFile(first), first)).toEqual(
      await logitsOf(
        renamedFile(first, (name) => `module.${name}`),
        first,
      ),
    );
  });

  it('is found beside other keys, and beside other networks only if it is asked for', async () => {
    const count: NamedArray = { dtype: 'int64', shape: [], data: new Uint8Array(8) };
    const averaged = writeSafetensors(
      [['n_averaged', count], ...first.state.map(([name, array]) => [`module.${name}`, array] as const)],
      {},
    );
    expect((await inspectWeights(averaged)).skipped).toEqual(['n_averaged']);
    expect(await logitsOf(averaged, first)).toEqual(await logitsOf(stateFile(first), first));
    const both = writeSafetensors(
      [
        ...first.state.map(([name, array]) => [`student.${name}`, array] as const),
        ...v3.state.map(([name, array]) => [`teacher.${name}`, array] as const),
      ],
      {},
    );
    await expect(GhostNet.load(both)).rejects.toMatchObject({
      code: 'GHOSTNET_PARAMETERS_MISMATCH',
      found: expect.stringMatching(/teacher.*student/) as string,
    });
    using student = await GhostNet.load(both, { prefix: 'student' });
    expect(student.info.parameters).toBeLessThan(400_000);
  });

  it('is known by its name, and is saved under the names of this package', async () => {
    using model = await GhostNet.create({ variant: 'ghostnet_first_100', numClasses: 4, seed: 1 });
    const path = join(folder, 'first-code.safetensors');
    await model.save(path);
    using loaded = await GhostNet.load(path);
    expect(loaded.info).toMatchObject({ variant: 'ghostnet_first_100', numClasses: 4 });
  });

  it('is refused if its shortcuts are those of another code', async () => {
    const file = writeSafetensors(
      first.state.map(([name, array]) =>
        name === 'features.3.shortcut.0.0.weight'
          ? [
              name,
              {
                ...array,
                shape: [array.shape[0] ?? 0, 1, 5, 5],
                data: new Uint8Array(100 * (array.shape[0] ?? 0)),
              },
            ]
          : [name, array],
      ),
      {},
    );
    await expect(GhostNet.load(file)).rejects.toMatchObject({
      code: 'GHOSTNET_UNSUPPORTED_FORMAT',
      message: expect.stringMatching(/first GhostNet code.*shortcut/) as string,
    });
  });
});

describe('lines to type', () => {
  const v2 = goldenOf('network_v2');
  const wrapped = (extra: readonly (readonly [string, NamedArray])[]) =>
    writeSafetensors([...v2.state.map(([name, array]) => [`module.${name}`, array] as const), ...extra], {});

  it('name arrays as they are in the file', async () => {
    const more: NamedArray = { dtype: 'float32', shape: [1], data: new Uint8Array(4) };
    await expect(GhostNet.load(wrapped([['module.arcface.weight', more]]))).rejects.toMatchObject({
      code: 'GHOSTNET_PARAMETERS_MISMATCH',
      remedy: expect.stringContaining('state.pop("module.arcface.weight")') as string,
    });
    const hidden: NamedArray = { dtype: 'float32', shape: [2, 3], data: new Uint8Array(24) };
    const names = v2.state.map<[string, NamedArray]>(([name, array]) => [
      `module.${name.replace(/^classifier/, 'classifier.0')}`,
      array,
    ]);
    const deep = writeSafetensors([...names, ['module.classifier.3.weight', hidden]], {});
    await expect(GhostNet.load(deep)).rejects.toMatchObject({
      remedy: expect.stringContaining('startswith(("module.classifier.", ') as string,
    });
  });
});

describe('a network without a classifier', () => {
  const bare = () => {
    const golden = goldenOf('network_v2');
    return {
      golden,
      file: writeSafetensors(
        golden.state.filter(([name]) => !name.startsWith('classifier.')),
        {},
      ),
    };
  };

  it('embeds as the whole network does', async () => {
    const { golden, file } = bare();
    using model = await GhostNet.load(file);
    expect(model.info).toMatchObject({ numClasses: 0, labels: [] });
    const features = await model.embed(tensorOf(golden, 'input') as Tensor<'float32'>);
    expect(relativeError(features.data, floatsOf(golden, 'features'))).toBeLessThan(1e-5);
    expect(model.summary()).not.toContain('classifier');
  });

  it.each(['fused', 'reference'] as const)('has no scores, with the backend %s', async (backend) => {
    const { golden, file } = bare();
    using model = await GhostNet.load(file, { backend });
    const code = { code: 'GHOSTNET_NO_CLASSIFIER' };
    await expect(model.forward(tensorOf(golden, 'input') as Tensor<'float32'>)).rejects.toMatchObject(code);
    const pixels = { data: new Uint8Array(3 * 64 * 64), width: 64, height: 64 };
    await expect(model.classify(pixels)).rejects.toMatchObject(code);
    expect(() => model.pipeline()).toThrow(expect.objectContaining(code));
    expect((await model.embed(pixels)).shape).toEqual([1, 1280]);
    await using pipeline = model.pipeline({ output: 'embed' });
    expect(await pipeline.run(pixels)).toHaveLength(1280);
  });

  it('keeps having none through a file', async () => {
    const path = join(folder, 'bare.safetensors');
    using made = await GhostNet.create({ variant: 'ghostnetv3_050', numClasses: 0, seed: 1 });
    await made.save(path, { deploy: true, dtype: 'float16' });
    using loaded = await GhostNet.load(path);
    expect(loaded.info).toMatchObject({ variant: 'ghostnetv3_050', numClasses: 0, form: 'deployed' });
  });
});
