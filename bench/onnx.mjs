// Writes a network as ONNX. The layer table of the package determines the operators, their order and the planes between them; the
// names of the layers determine their inputs. Field numbers are those of onnx.proto.
import { content, float, integer } from './protobuf.mjs';

const opset = 17;
const irVersion = 8; // of that opset
// TensorProto.DataType
const float32 = 1;
const uint8 = 2;

const attribute = {
  integer: (name, value) => [content(1, name), integer(3, value), integer(20, 2)],
  float: (name, value) => [content(1, name), float(2, value), integer(20, 1)],
  text: (name, value) => [content(1, name), content(4, value), integer(20, 3)],
  integers: (name, values) => [content(1, name), ...values.map((value) => integer(8, value)), integer(20, 7)],
};

function node(operator, inputs, output, attributes = []) {
  return [
    ...inputs.map((name) => content(1, name)),
    content(2, output),
    content(3, output),
    content(4, operator),
    ...attributes.map((fields) => content(5, fields)),
  ];
}

function tensor(name, { shape, data }) {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return [
    ...shape.map((length) => integer(1, length)),
    integer(2, float32),
    content(8, name),
    content(9, bytes),
  ];
}

/** An input or output of the network: a length is a number, or a name if it is variable. */
function value(name, shape, type = float32) {
  const lengths = shape.map((length) =>
    content(1, [typeof length === 'number' ? integer(1, length) : content(2, length)]),
  );
  return [content(1, name), content(2, [content(1, [integer(1, type), content(2, lengths)])])];
}

/**
 * The inputs of each layer. Layers follow each other; a layer that joins two values has the name of the scope whose layers computed
 * them; `shortcut` and `avg_pool` have the same input as their scope, and `attention` is multiplied by the result of its scope.
 */
class Wiring {
  #last;
  #begins = new Map(); // by scope: the input of its first layer
  #ends = new Map(); //   by scope: the output of its last layer
  #outputs = new Map(); // by layer

  constructor(input) {
    this.#last = input;
  }

  /** @param {{ name: string, type: string }} layer */
  inputsOf({ name, type }) {
    const branch = (scope) => this.#ends.get(`${name}.${scope}`);
    if (type === 'Concat') return [branch('primary_conv'), branch('cheap_operation')];
    const [, attended] = /^(.*)\.attention$/.exec(name) ?? [];
    if (attended !== undefined) return [this.#outputs.get(attended), this.#last];
    if (type === 'Multiply') return [this.#begins.get(name), this.#last];
    if (type === 'Add') return [branch('ghost2'), branch('shortcut') ?? this.#begins.get(name)];
    if (type === 'AvgPool2d') return [this.#begins.get(name.replace(/\.avg_pool$/, ''))];
    const [, scope] = /^(.*)\.shortcut\.0$/.exec(name) ?? [];
    return [scope === undefined ? this.#last : this.#begins.get(scope)];
  }

  /** Records the first input and the output of a layer. */
  add({ name }, input, output) {
    const parts = name.split('.');
    for (let length = 1; length <= parts.length; length++) {
      const scope = parts.slice(0, length).join('.');
      if (!this.#begins.has(scope)) this.#begins.set(scope, input);
      this.#ends.set(scope, output);
    }
    this.#outputs.set(name, output);
    this.#last = output;
  }
}

/**
 * The layers of a network, in the order in which they run.
 *
 * @param {string} summary the table that a model returns
 * @returns {{ name: string, type: string, output: number[] }[]} the output is [channels, height, width]
 */
export function layersOf(summary) {
  const row = /^(\S+) +(\w+)(?:\(.*\))? +\[([\d,]+)\]/gm;
  return [...summary.matchAll(row)].map(([, name, type, output]) => ({
    name,
    type,
    output: output.split(',').map(Number),
  }));
}

/** The padding of a convolution, which keeps the size of the plane if the stride is 1. */
function convolution(inputs, output, { kernel, before, after }) {
  const [, depth, height, width] = kernel;
  const [top, left] = [(height - 1) / 2, (width - 1) / 2];
  return [
    node('Conv', inputs, output, [
      attribute.integers('kernel_shape', [height, width]),
      attribute.integers('strides', [Math.ceil(before[1] / after[1]), Math.ceil(before[2] / after[2])]),
      attribute.integers('pads', [top, left, top, left]),
      attribute.integer('group', before[0] / depth),
    ]),
  ];
}

function linear([input, ...weights], output) {
  const flat = `${output}:flat`;
  return [
    node('Flatten', [input], flat),
    node('Gemm', [flat, ...weights], output, [attribute.integer('transB', 1)]),
  ];
}

function halved(inputs, output) {
  const sides = (name, side) => attribute.integers(name, [side, side]);
  return [node('AveragePool', inputs, output, [sides('kernel_shape', 2), sides('strides', 2)])];
}

/** A product with a plane of one value per channel, or with the nearest pixels of a smaller plane. */
function multiply([input, factor], output, { factors, after }) {
  if (factors[1] * factors[2] === 1) return [node('Mul', [input, factor], output)];
  const near = `${output}:near`;
  return [
    node('Resize', [factor, '', scalesName(factors, after)], near, [
      attribute.text('mode', 'nearest'),
      attribute.text('coordinate_transformation_mode', 'asymmetric'),
      attribute.text('nearest_mode', 'floor'),
    ]),
    node('Mul', [input, near], output),
  ];
}

const scalesName = (from, to) => `scales:${from.slice(1).join('x')}:${to.slice(1).join('x')}`;

/** The factors by which a plane grows, rounded up, so that the rounded product is the size of the other. */
function scales(from, to) {
  const factor = (axis) => {
    const exact = to[axis] / from[axis];
    const rounded = Math.fround(exact);
    return rounded < exact ? Math.fround(rounded * (1 + 2 ** -23)) : rounded;
  };
  return { shape: [4], data: Float32Array.of(1, 1, factor(1), factor(2)) };
}

function plain(operator, ...attributes) {
  return (inputs, output) => [node(operator, inputs, output, attributes)];
}

/** The nodes of a layer by type, from the names of its inputs, parameters and output. */
const nodesOf = {
  Conv2d: convolution,
  BatchNorm2d: plain('BatchNormalization'),
  ReLU: plain('Relu'),
  Sigmoid: plain('Sigmoid'),
  HardSigmoid: plain('HardSigmoid', attribute.float('alpha', 1 / 6)),
  Concat: plain('Concat', attribute.integer('axis', 1)),
  Multiply: multiply,
  Add: plain('Add'),
  AvgPool2d: halved,
  AdaptiveAvgPool2d: plain('GlobalAveragePool'),
  Linear: linear,
};

// In the order that ONNX expects.
const parameters = ['weight', 'bias', 'running_mean', 'running_var'];

/** Bytes of pixels, [n,height,width,channels], become `pixel_values`: scaled, normalised, channels first. */
function normalisation({ mean, std }) {
  const perChannel = (name, values) =>
    tensor(name, { shape: [values.length, 1, 1], data: Float32Array.from(values) });
  return {
    nodes: [
      node('Transpose', ['pixels'], 'pixels:planes', [attribute.integers('perm', [0, 3, 1, 2])]),
      node('Cast', ['pixels:planes'], 'pixels:float', [attribute.integer('to', float32)]),
      node('Mul', ['pixels:float', 'pixels.scale'], 'pixels:scaled'),
      node('Add', ['pixels:scaled', 'pixels.offset'], 'pixel_values'),
    ],
    weights: [
      perChannel(
        'pixels.scale',
        std.map((deviation) => 1 / (255 * deviation)),
      ),
      perChannel(
        'pixels.offset',
        std.map((deviation, channel) => -mean[channel] / deviation),
      ),
    ],
  };
}

/**
 * @param {ReturnType<typeof layersOf>} layers
 * @param {Map<string, { shape: readonly number[], data: ArrayBufferView }>} state parameters and buffers by name
 * @param {[channels: number, height: number, width: number]} size of the input
 * @param {{ mean: readonly number[], std: readonly number[] }} [pixels] how the network normalises, if its input shall be bytes
 * @returns {Buffer} an ONNX file, `pixel_values` [n,channels,height,width] to `logits` [n,classes]; with `pixels` the input is
 * `pixels`, uint8 [n,height,width,channels]
 */
export function onnxOf(layers, state, size, pixels) {
  const wiring = new Wiring('pixel_values');
  const planes = new Map([['pixel_values', size]]);
  const nodes = [];
  const weights = [];
  const resizes = new Map();
  for (const layer of layers) {
    const inputs = wiring.inputsOf(layer);
    const own = parameters.map((field) => `${layer.name}.${field}`).filter((key) => state.has(key));
    weights.push(...own.map((key) => tensor(key, state.get(key))));
    const output = layer === layers.at(-1) ? 'logits' : `${layer.name}:${layer.type}`;
    const shapes = {
      kernel: state.get(`${layer.name}.weight`)?.shape,
      before: planes.get(inputs[0]),
      factors: planes.get(inputs[1]),
      after: layer.output,
    };
    if (layer.type === 'Multiply' && shapes.factors[1] * shapes.factors[2] > 1) {
      resizes.set(scalesName(shapes.factors, layer.output), scales(shapes.factors, layer.output));
    }
    nodes.push(...nodesOf[layer.type]([...inputs, ...own], output, shapes));
    planes.set(output, layer.output);
    wiring.add(layer, inputs[0], output);
  }
  for (const [name, values] of resizes) weights.push(tensor(name, values));
  const [channels, height, width] = size;
  let input = value('pixel_values', ['n', ...size]);
  if (pixels !== undefined) {
    const first = normalisation(pixels);
    nodes.unshift(...first.nodes);
    weights.push(...first.weights);
    input = value('pixels', ['n', height, width, channels], uint8);
  }
  const graph = [
    ...nodes.map((fields) => content(1, fields)),
    content(2, 'ghostnet'),
    ...weights.map((fields) => content(5, fields)),
    content(11, input),
    content(12, value('logits', ['n', layers.at(-1).output[0]])),
  ];
  return Buffer.concat([
    integer(1, irVersion),
    content(2, 'ghostnet'),
    content(7, graph),
    content(8, [integer(2, opset)]),
  ]);
}
