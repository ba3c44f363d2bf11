import { GhostNet } from 'ghostnet';
import { beforeAll, describe, expect, it } from 'vitest';

import { layersOf, onnxOf } from '../../bench/onnx.mjs';

/** The fields of a protobuf message whose content is bytes, by number. */
function fieldsOf(message: Uint8Array): Map<number, Uint8Array[]> {
  const fields = new Map<number, Uint8Array[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.byteLength) {
    const tag = varint();
    if (tag % 8 === 0) varint();
    else if (tag % 8 === 5) at += 4;
    else {
      const length = varint();
      const list = fields.get(tag >> 3) ?? [];
      fields.set(tag >> 3, [...list, message.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

interface Node {
  readonly inputs: string[];
  readonly output: string;
  readonly operator: string;
}

/** The nodes of a graph, and the names of its weights and inputs. */
function readGraph(onnx: Uint8Array): { nodes: Node[]; weights: string[]; inputs: string[] } {
  const graph = fieldsOf(fieldsOf(onnx).get(7)?.[0] ?? new Uint8Array());
  return {
    nodes: (graph.get(1) ?? []).map(fieldsOf).map((fields) => ({
      inputs: (fields.get(1) ?? []).map(text),
      output: fields.get(2)?.map(text)[0] ?? '',
      operator: fields.get(4)?.map(text)[0] ?? '',
    })),
    weights: (graph.get(5) ?? []).map((tensor) => fieldsOf(tensor).get(8)?.map(text)[0] ?? ''),
    inputs: (graph.get(11) ?? []).map((input) => fieldsOf(input).get(1)?.map(text)[0] ?? ''),
  };
}

let layers: ReturnType<typeof layersOf>;
let nodes: Node[];
let weights: string[];
let ofPixels: ReturnType<typeof readGraph>;
beforeAll(async () => {
  using model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 3, seed: 1, inputSize: 64 });
  layers = layersOf(model.summary());
  const state = await model.stateDict();
  ({ nodes, weights } = readGraph(onnxOf(layers, state, [3, 64, 64])));
  ofPixels = readGraph(onnxOf(layers, state, [3, 64, 64], model.info));
});

describe('the ONNX file that the benchmark gives its peers', () => {
  it('has every layer of the table', () => {
    expect(layers).toHaveLength(nodes.length - 1); // the classifier flattens its input first
    const count = (operator: string): number => nodes.filter((node) => node.operator === operator).length;
    expect(count('Conv')).toBe(layers.filter(({ type }) => type === 'Conv2d').length);
    expect(count('Concat')).toBe(32);
    expect(count('Add')).toBe(16);
  });

  it('uses values that were computed before, and each of them', () => {
    const known = new Set(['pixel_values', ...weights]);
    for (const { inputs, output } of nodes) {
      expect(inputs.filter((name) => !known.has(name))).toEqual([]);
      expect(known.has(output)).toBe(false);
      known.add(output);
    }
    const used = new Set(nodes.flatMap(({ inputs }) => inputs));
    expect([...known].filter((name) => !used.has(name))).toEqual(['logits']);
  });

  it('joins the branches of a block', () => {
    const inputsOf = (output: string): string[] | undefined =>
      nodes.find((node) => node.output === output)?.inputs;
    expect(inputsOf('blocks.1.0:Add')).toEqual([
      'blocks.1.0.ghost2:Concat',
      'blocks.1.0.shortcut.3:BatchNorm2d',
    ]);
    expect(inputsOf('blocks.1.0.shortcut.0:Conv2d')?.[0]).toBe('blocks.0.0:Add');
    expect(inputsOf('blocks.2.0:Add')).toEqual(['blocks.2.0.ghost2:Concat', 'blocks.1.0:Add']);
    expect(inputsOf('blocks.3.0.se:Multiply')).toEqual([
      'blocks.3.0.bn_dw:BatchNorm2d',
      'blocks.3.0.se.gate:HardSigmoid',
    ]);
  });

  it('multiplies a ghost module by the nearest pixels of its attention', async () => {
    using model = await GhostNet.create({
      variant: 'ghostnetv2_050',
      numClasses: 3,
      seed: 1,
      inputSize: 128,
    });
    const graph = readGraph(onnxOf(layersOf(model.summary()), await model.stateDict(), [3, 128, 128]));
    const resizes = graph.nodes.filter(({ operator }) => operator === 'Resize');
    expect(resizes).toHaveLength(14);
    const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
    expect(graph.weights.filter((name) => !used.has(name))).toEqual([]);
    const product = graph.nodes.find(({ output }) => output === 'blocks.2.0.ghost1.attention:Multiply');
    expect(product?.inputs).toEqual(['blocks.2.0.ghost1:Concat', resizes[0]?.output]);
    const halved = graph.nodes.find(({ operator }) => operator === 'AveragePool');
    expect(halved?.inputs).toEqual(['blocks.1.0:Add']);
  });

  it('can take bytes, which it normalises first', () => {
    expect(ofPixels.inputs).toEqual(['pixels']);
    const first = ofPixels.nodes.slice(0, 4);
    expect(first.map(({ operator }) => operator)).toEqual(['Transpose', 'Cast', 'Mul', 'Add']);
    expect(first.map(({ inputs }) => inputs[0])).toEqual([
      'pixels',
      ...first.slice(0, 3).map(({ output }) => output),
    ]);
    expect(first[3]?.output).toBe('pixel_values');
    expect(ofPixels.nodes.slice(4)).toEqual(nodes);
  });
});
