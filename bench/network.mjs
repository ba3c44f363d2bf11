import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeSafetensors } from '../dist/checkpoint/index.js';
import { GhostNet } from '../dist/index.js';
import { layersOf, onnxOf } from './onnx.mjs';

const seed = 20;
const size = [3, 224, 224];

/** A network with weights made from a seed: its description, layers and state dict. The branches of a GhostNetV3 are folded. */
export async function makeNetwork(variant = 'ghostnet_100') {
  const model = await GhostNet.create({ variant, seed });
  const trained = await model.stateDict();
  normalise(layersOf(model.summary()), trained);
  model.dispose();
  const normalised = await GhostNet.load(safetensorsOf(trained));
  const state = await normalised.stateDict({ deploy: true });
  normalised.dispose();
  const deployed = await GhostNet.load(safetensorsOf(state));
  const { info } = deployed;
  const layers = layersOf(deployed.summary());
  deployed.dispose();
  return { info, layers, state, size, description: `weights made from the seed ${seed}` };
}

/** Lays out a network with weights made from a seed, as the files that engines read. */
export async function layOutNetwork(variant) {
  const folder = await mkdtemp(join(tmpdir(), 'ghostnet-bench-'));
  const { info, layers, state, description } = await makeNetwork(variant);
  const weights = join(folder, `${info.variant}.safetensors`);
  const onnx = join(folder, `${info.variant}.onnx`);
  await writeFile(weights, safetensorsOf(state));
  await writeFile(onnx, onnxOf(layers, state, size));
  return {
    weights,
    onnx,
    variant: info.variant,
    multiplyAdds: info.multiplyAdds,
    description,
    /** Writes the input of a batch. */
    async input(shape) {
      const path = join(folder, `input-${shape.join('x')}.f32`);
      await writeFile(path, noise(1, product(shape)));
      return path;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Gives each batch normalisation about the statistics of the values that reach it. A fresh network has means of 0 and variances
 * of 1, under which an image hardly moves the logits: engines that compute different networks would agree.
 */
function normalise(layers, state) {
  let kernel;
  for (const { name, type } of layers) {
    if (type === 'Conv2d') kernel = state.get(`${name}.weight`);
    if (type !== 'BatchNorm2d') continue;
    const [channels] = kernel.shape;
    const taps = product(kernel.shape) / channels;
    const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (field) => state.get(`${name}.${field}`).data,
    );
    // The sum of about four branches has the deviation of one convolution.
    const share = name.includes('_rpr_') ? 1 / 2 : 1;
    const random = noise(channels + taps, 3 * channels);
    for (let channel = 0; channel < channels; channel++) {
      const [a, b, c] = random.subarray(3 * channel);
      const row = kernel.data.subarray(channel * taps, (channel + 1) * taps);
      variance[channel] = row.reduce((sum, tap) => sum + tap * tap, 0);
      mean[channel] = (a / 8) * Math.sqrt(variance[channel]);
      weight[channel] = (1 + b / 8) * share;
      bias[channel] = c / 8;
    }
  }
}

/** A state dict as the bytes of a safetensors file. */
export function safetensorsOf(state) {
  return writeSafetensors(
    [...state].map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
    ]),
  );
}

/** The same values on every machine: uniform in [-2, 2), about the range of a normalised image. */
function noise(start, count) {
  const values = new Float32Array(count);
  let state = start;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[index] = state / 2 ** 30 - 2;
  }
  return values;
}

function product(lengths) {
  return lengths.reduce((total, length) => total * length, 1);
}
