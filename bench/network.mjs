import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { readSafetensors, writeSafetensors } from '../dist/checkpoint/index.js';
import { GhostNet } from '../dist/index.js';

const goldenFile = 'golden/net_w100_c1000.safetensors';
const onnxFile = 'peers/ghostnet_100/onnx/model.onnx';
const referenceFile = 'reference/ghostnet_reference.py';
const statePrefix = 'state.';
const randomSeed = 20;

/**
 * Lays out GhostNet 1.0x as the files that engines read: from the shared folder if it contains the network, otherwise with
 * random weights and without an ONNX file.
 *
 * @param {string} shared the folder with golden/ and peers/
 */
export async function layOutNetwork(shared) {
  const golden = resolve(shared, goldenFile);
  const onnx = resolve(shared, onnxFile);
  const reference = resolve(shared, referenceFile);
  const known = existsSync(golden);
  const folder = await mkdtemp(join(tmpdir(), 'ghostnet-bench-'));
  const weights = join(folder, 'ghostnet_100.safetensors');
  if (known) await writeFile(weights, stateOf(await readFile(golden)));
  else await saveRandom(weights);
  const exported = known && existsSync(onnx);
  return {
    weights,
    onnx: exported ? onnx : null,
    reference: existsSync(reference) ? reference : null,
    multiplyAdds: await multiplyAddsOf(weights),
    description: describe({ known, exported, golden, onnx }),
    /** Writes the input of a batch. */
    async input(shape) {
      const path = join(folder, `input-${shape.join('x')}.f32`);
      await writeFile(path, noise(shape.reduce((product, length) => product * length, 1)));
      return path;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function describe({ known, exported, golden, onnx }) {
  if (!known) return `random weights without an ONNX file, because ${golden} is missing`;
  if (!exported) return `the weights of ${goldenFile}, without an ONNX file, because ${onnx} is missing`;
  return `the weights of ${goldenFile}`;
}

/** Only the state dict, under the names of the network: a golden file also holds an input and outputs. */
function stateOf(file) {
  const state = [];
  for (const [name, array] of readSafetensors(file).arrays) {
    if (name.startsWith(statePrefix)) state.push([name.slice(statePrefix.length), array]);
  }
  return writeSafetensors(state);
}

/** Multiply-adds per image. */
async function multiplyAddsOf(weights) {
  const model = await GhostNet.load(weights);
  const { multiplyAdds } = model.info;
  model.dispose();
  return multiplyAdds;
}

async function saveRandom(path) {
  const model = await GhostNet.create({ variant: 'ghostnet_100', seed: randomSeed });
  await model.save(path);
  model.dispose();
}

/** The same values on every machine: uniform in [-2, 2), about the range of a normalised image. */
function noise(count) {
  const values = new Float32Array(count);
  let state = 1;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[index] = state / 2 ** 30 - 2;
  }
  return values;
}
