import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GhostNet } from '../../dist/index.js';
import { makeNetwork, safetensorsOf } from '../network.mjs';
import { onnxOf } from '../onnx.mjs';

/**
 * Lays out GhostNet 1.0x as the files that the contenders read.
 *
 * @param {string[]} photos the small ones
 */
export async function layOutPipelineNetwork(photos) {
  const folder = await mkdtemp(join(tmpdir(), 'ghostnet-bench-'));
  const { info, layers, state, size, description } = await makeNetwork();
  const weights = join(folder, 'ghostnet_100.safetensors');
  await writeFile(weights, safetensorsOf(state));
  await centre(state, weights, photos);
  await writeFile(weights, safetensorsOf(state));
  const onnx = join(folder, 'ghostnet_100.onnx');
  const onnxOfPixels = join(folder, 'ghostnet_100-pixels.onnx');
  await writeFile(onnx, onnxOf(layers, state, size));
  await writeFile(onnxOfPixels, onnxOf(layers, state, size, info));
  await layOutForTransformers(join(folder, 'transformers'), onnxOf(layers, state, size), info);
  return {
    weights,
    onnx,
    onnxOfPixels,
    models: folder,
    mean: info.mean,
    std: info.std,
    description,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Moves the mean of each logit over the photos to 0. Weights made from a seed find the same class in all of them, so that
 * contenders that read the photos differently would agree.
 */
async function centre(state, weights, photos) {
  const model = await GhostNet.load(weights);
  const logits = await model.forward(await model.preprocess(photos));
  const [count, classes] = logits.shape;
  const bias = state.get('classifier.bias').data;
  for (const [index, logit] of logits.data.entries()) bias[index % classes] -= logit / count;
  logits.dispose();
  model.dispose();
}

/** The folder of a model of @huggingface/transformers. */
async function layOutForTransformers(folder, onnx, { numClasses, mean, std }) {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx', 'model.onnx'), onnx);
  const names = Array.from({ length: numClasses }, (_, index) => [index, String(index)]);
  // It does not know GhostNet, and treats every network for images of this kind alike.
  const config = {
    model_type: 'vit',
    architectures: ['ViTForImageClassification'],
    id2label: Object.fromEntries(names),
  };
  const preprocessor = {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { shortest_edge: 256 },
    resample: 3, // bicubic
    do_center_crop: true,
    crop_size: { height: 224, width: 224 },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(preprocessor));
}
