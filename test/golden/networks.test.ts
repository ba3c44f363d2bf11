import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { GhostNet, type Tensor } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { floatsOf, readGolden, stateFile, tensorOf, type Golden } from '../support/golden.js';
import { relativeError } from '../support/numbers.js';
import { hasBfloat16, needsBfloat16 } from '../support/processor.js';
import { hasShared, needsShared, sharedFile } from '../support/shared.js';

function digest(tensors: readonly (Tensor | undefined)[]): string {
  const hash = createHash('sha256');
  for (const tensor of tensors) hash.update(tensor?.data ?? 'missing');
  return hash.digest('hex');
}

interface Case {
  readonly width: number;
  readonly num_classes: number;
  readonly stages?: readonly (readonly (readonly number[])[])[];
  readonly form?: string;
  /** Of the rule that makes the weights which the file leaves out. */
  readonly rule_seed?: number;
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

/** The forms of the weights, by their names in the golden cases. */
const forms: Readonly<Record<string, string>> = {
  norms: 'norms',
  train: 'branches',
  branches: 'branches',
  deploy: 'deployed',
  deployed: 'deployed',
};

const attentionOf = (stages: readonly (readonly (readonly (number | undefined)[])[])[]) =>
  stages.map((rows) => rows.map((row) => row[5] ?? 0));

/** Adds the weights that a file leaves out, because they follow from their names. */
async function withRule(golden: Golden): Promise<Golden> {
  const { rule_seed, shapes = {} } = JSON.parse(golden.metadata.case ?? '') as Case;
  if (rule_seed === undefined) return golden;
  const { ruleWeight } = (await import(sharedFile('golden/rule.mjs'))) as {
    ruleWeight: (name: string, seed: number, shape: readonly number[]) => Float32Array;
  };
  const made = Object.entries(shapes).map(([name, shape]) => {
    const data = new Uint8Array(ruleWeight(name, rule_seed, shape).buffer);
    return [name, { dtype: 'float32', shape, data }] as const;
  });
  return { ...golden, state: [...golden.state, ...made] };
}

async function checkNetwork(
  path: string | URL,
  precision: 'float32' | 'bfloat16' = 'float32',
): Promise<void> {
  const tolerance = precision === 'float32' ? 1e-5 : 2.5e-2;
  const golden = await withRule(readGolden(path));
  const { width, num_classes, stages, form } = JSON.parse(golden.metadata.case ?? '') as Case;
  using model = await GhostNet.load(stateFile(golden), { precision });
  expect(model.info).toMatchObject({ width, numClasses: num_classes, precision });
  expect(attentionOf(model.info.stages)).toEqual(attentionOf(stages ?? model.info.stages));
  expect(model.info.form).toBe(forms[form ?? 'norms']);
  const trainable = golden.state.filter(([name]) => !/running_(mean|var)$|num_batches_tracked$/.test(name));
  const parameters = trainable.map(([, { shape }]) => shape.reduce((product, length) => product * length, 1));
  expect(model.info.parameters).toBe(parameters.reduce((sum, count) => sum + count));

  const input = tensorOf(golden, 'input') as Tensor<'float32'>;
  const logits = await model.forward(input);
  expect(logits.shape).toEqual([input.shape[0], num_classes]);
  expect(relativeError(logits.data, floatsOf(golden, 'output'))).toBeLessThan(tolerance);
  const features = await model.embed(input);
  expect(features.shape).toEqual([input.shape[0], 1280]);
  expect(relativeError(features.data, floatsOf(golden, 'features'))).toBeLessThan(tolerance);
}

describe('networks computed in float64 by the reference', () => {
  const data = (name: string) => new URL(`data/${name}.safetensors`, import.meta.url);
  const small = [
    ...['network', 'network_v2', 'network_v3_branches', 'network_v3_deployed'],
    ...['network_repghost', 'network_repghost_deployed', 'network_first_code'],
  ];
  const large = [
    ...['net_w050_c10', 'net_w050_c7_odd', 'net_w100_c1000'],
    ...[
      'net_v2_w015_c3_64',
      'net_v2_w025_c5_odd',
      'rule_v2_w100_c10',
      'rule_v2_w130_c10',
      'rule_v2_w160_c10',
    ],
    ...[
      'net_v3_w015_c3_33_train',
      'net_v3_w025_c5_odd_train',
      'rule_v3_w050_c10_train',
      'rule_v3_w100_c10_train',
    ],
    ...['net_v3_w015_c3_33_deploy', 'net_v3_w025_c5_odd_deploy'],
  ];

  it.each(small)('a small stage table: %s', async (name) => {
    await checkNetwork(data(name));
  });

  it.skipIf(!hasShared).each(large)(`%s${needsShared}`, async (name) => {
    await checkNetwork(sharedFile(`golden/${name}.safetensors`));
  });

  it.skipIf(!hasBfloat16).each(small)(`a small stage table in bfloat16: %s${needsBfloat16}`, async (name) => {
    await checkNetwork(data(name), 'bfloat16');
  });

  it.skipIf(!hasShared || !hasBfloat16).each(large)(
    `%s in bfloat16${needsShared}${needsBfloat16}`,
    async (name) => {
      await checkNetwork(sharedFile(`golden/${name}.safetensors`), 'bfloat16');
    },
  );
});

describe('the values that the reference has after torch.manual_seed', () => {
  interface Seeded {
    readonly variant: string;
    readonly numClasses: number;
    readonly seed: number;
    readonly parameters: Readonly<Record<string, string>>;
    readonly all: string;
  }
  const cases = ['seeds.json', 'seeds_family.json'].flatMap(
    (file) => JSON.parse(readFileSync(new URL(`data/${file}`, import.meta.url), 'utf8')) as readonly Seeded[],
  );

  it.each(cases)('$variant, seed $seed', async ({ variant, numClasses, seed, parameters, all }) => {
    using model = await GhostNet.create({ variant, numClasses, seed });
    const state = await model.stateDict();
    const digests = Object.keys(parameters).map((name) => [name, digest([state.get(name)])]);
    expect(Object.fromEntries(digests)).toEqual(parameters);
    expect(digest([...state.keys()].sort().map((name) => state.get(name)))).toBe(all);
  });
});
