// Pictures and tensors for requests, and what the package itself computes for them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Tensor } from 'ghostnet';
import sharp from 'sharp';

/** Photos, and what sharp makes of some of them. @returns their paths */
export async function makePictures(folder, isQuick) {
  const data = join('node_modules', '@stdlib');
  const photos = readdirSync(data)
    .filter((name) => name.startsWith('datasets-img-'))
    .map((name) => join(data, name, 'data', 'image.jpg'));
  const formats = isQuick ? ['png', 'webp'] : ['png', 'webp', 'avif', 'gif', 'tiff'];
  const paths = [...photos];
  for (const [index, photo] of (isQuick ? photos.slice(0, 1) : photos).entries()) {
    for (const format of formats) {
      const path = join(folder, `picture-${index}.${format}`);
      writeFileSync(path, await sharp(photo).resize({ width: 400 }).toFormat(format).toBuffer());
      paths.push(path);
    }
  }
  return paths;
}

/** Tensors of each dtype: the size of the network, and another one that is not square. */
export function makeTensors(folder, side) {
  const shapes = [
    [2, side, side],
    [1, side + 32, side],
  ];
  return shapes.flatMap(([count, height, width], index) => {
    const length = count * height * width * 3;
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 7919 + (at >> 7) * 31) % 256);
    const numbers = Float32Array.from(bytes, (byte, at) => byte / 60 - 2 + Math.sin(at) / 9);
    return [
      { datatype: 'UINT8', shape: [count, height, width, 3], data: bytes },
      { datatype: 'FP32', shape: [count, 3, height, width], data: numbers },
    ].map(({ datatype, shape, data }) => {
      const path = join(folder, `tensor-${side}-${index}-${datatype}.bin`);
      writeFileSync(path, data);
      return { datatype, shape, path, data };
    });
  });
}

/** What a model computes, for the Python side: where the bytes of the logits and embeddings are, and the classes. */
export async function expectationsOf(model, key, folder, pictures, tensors) {
  const write = (name, { data }) => {
    const path = join(folder, `${key}-${name}.bin`);
    writeFileSync(path, data);
    return path;
  };
  const files = [];
  for (const [index, path] of pictures.entries()) {
    const file = readFileSync(path);
    const input = await model.preprocess(file);
    files.push({
      path,
      logits: write(`file-${index}-logits`, await model.forward(input)),
      embedding: write(`file-${index}-embedding`, await model.embed(input)),
      classes: await model.classify(file, { topK: 5 }),
    });
    input.dispose();
  }
  const arrays = [];
  for (const [index, { datatype, shape, path, data }] of tensors.entries()) {
    const input = Tensor.from(data, shape);
    const logits = write(`tensor-${index}-logits`, await model.forward(input));
    arrays.push({ datatype, shape, path, logits });
    input.dispose();
  }
  return { classes: model.info.numClasses, features: model.info.features, files, tensors: arrays };
}
