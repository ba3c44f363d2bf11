import { GhostNet, type StageRow } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf } from '../support/errors.js';
import { smallStages } from '../support/models.js';

let model: GhostNet;
beforeAll(async () => {
  model = await GhostNet.create({ stages: smallStages, width: 0.5, numClasses: 3, inputSize: 64 });
});
afterAll(() => {
  model.dispose();
});

interface Row {
  readonly name: string;
  readonly type: string;
  readonly output: readonly number[];
  readonly parameters: number;
  readonly multiplyAdds: number;
}

/** The rows of a layer table, and its last line. */
function parse(table: string): { title: string; rows: readonly Row[]; total: Row } {
  const lines = table.split('\n');
  const rules = lines.flatMap((line, index) => (/^-+( +-+)*$/.test(line) ? [index] : []));
  const [first = 0, last = 0] = rules;
  const starts = [...(lines[first] ?? '').matchAll(/-+/g)].map(({ index }) => index);
  const cells = (line: string) =>
    starts.map((start, column) => line.slice(start, starts[column + 1] ?? Infinity).trim());
  const count = (text = '') => Number(text.replaceAll(',', ''));
  const rowOf = (line: string): Row => {
    const [name = '', type = '', output = '', parameters, multiplyAdds] = cells(line);
    return {
      name,
      type,
      output: output === '' ? [] : (JSON.parse(output) as number[]),
      parameters: count(parameters),
      multiplyAdds: count(multiplyAdds),
    };
  };
  expect(cells(lines[first - 1] ?? '')).toEqual(['Layer', 'Type', 'Output', 'Parameters', 'Multiply-adds']);
  return {
    title: lines[0] ?? '',
    rows: lines.slice(first + 1, last).map(rowOf),
    total: rowOf(lines[last + 1] ?? ''),
  };
}

describe('summary', () => {
  it('names the network and the input', () => {
    expect(model.summary()).toContain('custom (width 0.5, 3 classes), input [3,64,64]');
    expect(model.summary({ height: 96, width: 128 })).toContain('input [3,96,128]');
  });

  it('has the sums that info has', () => {
    const { rows, total } = parse(model.summary());
    const sum = (column: 'parameters' | 'multiplyAdds') =>
      rows.reduce((so_far, row) => so_far + row[column], 0);
    expect(sum('parameters')).toBe(model.info.parameters);
    expect(sum('multiplyAdds')).toBe(model.info.multiplyAdds);
    expect(total).toMatchObject({
      name: 'Total',
      parameters: model.info.parameters,
      multiplyAdds: model.info.multiplyAdds,
    });
  });

  it('has every layer with parameters, and as many as the state dict holds', async () => {
    const state = await model.stateDict();
    const expected = new Map<string, number>();
    for (const [key, { size }] of state) {
      if (/\.(running_mean|running_var|num_batches_tracked)$/.test(key)) continue;
      const layer = key.slice(0, key.lastIndexOf('.'));
      expected.set(layer, (expected.get(layer) ?? 0) + size);
    }
    const { rows } = parse(model.summary());
    const found = new Map(rows.filter((row) => row.parameters > 0).map((row) => [row.name, row.parameters]));
    expect(found).toEqual(expected);
  });

  it('has the layers without parameters too', () => {
    const types = new Set(parse(model.summary()).rows.map(({ type }) => type.replace(/\(.*/, '')));
    for (const type of ['ReLU', 'Concat', 'HardSigmoid', 'Multiply', 'Add', 'AdaptiveAvgPool2d'])
      expect(types).toContain(type);
  });

  it('shows the shapes of an odd, oblong input', () => {
    const { rows } = parse(model.summary({ height: 47, width: 33 }));
    const outputOf = (name: string) => rows.find((row) => row.name === name)?.output;
    expect(outputOf('conv_stem')).toEqual([8, 24, 17]);
    expect(outputOf('blocks.1.0.conv_dw')).toEqual([24, 12, 9]);
    expect(outputOf('blocks.2.0.ghost2.primary_conv.0')).toEqual([10, 6, 5]);
    expect(outputOf('blocks.3.0.ghost2.cheap_operation.1')).toEqual([12, 3, 3]);
    expect(outputOf('blocks.4.0.conv')).toEqual([32, 3, 3]);
    expect(outputOf('conv_head')).toEqual([1280, 1, 1]);
    expect(rows.at(-1)?.output[0]).toBe(3);
  });

  it('counts multiply-adds of convolutions and linear layers', () => {
    const { rows } = parse(model.summary());
    const of = (name: string) => rows.find((row) => row.name === name)?.multiplyAdds;
    expect(of('conv_stem')).toBe(8 * 32 * 32 * 3 * 9);
    expect(of('blocks.1.0.conv_dw')).toBe(24 * 16 * 16 * 9);
    expect(of('blocks.2.1.se.conv_reduce')).toBe(60 * 16);
    expect(of('classifier')).toBe(1280 * 3);
    expect(of('bn1')).toBe(0);
  });

  it('follows the stage table', async () => {
    const oneRow: readonly (readonly StageRow[])[] = [[[3, 16, 16, 0, 1]]];
    using other = await GhostNet.create({ stages: oneRow, numClasses: 1 });
    const names = parse(other.summary()).rows.map(({ name }) => name);
    expect(names).toContain('blocks.0.0.ghost1.primary_conv.0');
    expect(names).toContain('blocks.1.0.conv');
    expect(names.some((name) => name.startsWith('blocks.2'))).toBe(false);
  });

  it.each([
    [31, 64],
    [64, 31],
    [0, 0],
    [-64, 64],
  ])('refuses %i x %i pixels', async (height, width) => {
    expect(await codeOf(() => model.summary({ height, width }))).toBe('GHOSTNET_BAD_SHAPE');
  });

  it('rejects sizes that are not whole numbers', async () => {
    for (const height of [64.5, NaN, Infinity, '64'])
      expect(await codeOf(() => model.summary({ height: height as number, width: 64 }))).toMatch(
        /^GHOSTNET_(BAD_SHAPE|INVALID_ARGUMENT)$/,
      );
  });
});
