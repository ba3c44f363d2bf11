import { peer } from '../peers.mjs';

// What sharp and onnxruntime-node do in either thread of sharp-onnxruntime.mjs.
const side = 224;
const shortSide = 256;
const plane = side * side;

/** How much of a JPEG file sharp decodes before it resizes. */
export const shrinks = {
  // As sharp comes: by the largest power of 2, to at least the size that is wanted.
  usual: { resize: { fastShrinkOnLoad: true } },
  // At least twice that size.
  less: { resize: { fastShrinkOnLoad: false } },
  // All of it, as PIL and torchvision do: sharp has no option for that, but a given colour space has that effect.
  none: { resize: {}, colourspace: 'srgb' },
};

/**
 * @param {{ onnx: string, onnxOfPixels: string, mean: number[], std: number[] }} network
 * @param {{ shrink: keyof typeof shrinks, input: 'uint8' | 'float32', batch: number, intra: number, spin?: boolean }} settings
 */
export async function openClassifier(network, settings) {
  const sharp = peer('sharp');
  const { InferenceSession, Tensor } = peer('onnxruntime-node');
  // Otherwise a file that is read again might not be decoded again.
  sharp.cache(false);
  const { batch, input, intra, spin = true } = settings;
  const { resize, colourspace } = shrinks[settings.shrink];
  const session = await InferenceSession.create(input === 'uint8' ? network.onnxOfPixels : network.onnx, {
    executionProviders: ['cpu'],
    intraOpNumThreads: intra,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    extra: { session: { intra_op: { allow_spinning: spin ? '1' : '0' } } },
  });
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  const fill = input === 'uint8' ? fillBytes : fillFloats(network);
  const values = new (input === 'uint8' ? Uint8Array : Float32Array)(batch * plane * 3);
  const shapeOf = (count) => (input === 'uint8' ? [count, side, side, 3] : [count, 3, side, side]);

  /** Raw RGB from what sharp has opened, the shorter side resized. */
  const resized = (image) =>
    (colourspace === undefined ? image : image.pipelineColourspace(colourspace))
      .resize(shortSide, shortSide, { fit: 'outside', kernel: 'cubic', ...resize })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });

  return {
    decode: (file) =>
      sharp(file, { ignoreIcc: true }).removeAlpha().raw().toBuffer({ resolveWithObject: true }),
    resize: ({ data, info }) => resized(sharp(data, { raw: info })),
    prepare: (file) => resized(sharp(file, { ignoreIcc: true })),
    /** The logits of each of at most `batch` prepared images, from its centre. */
    async compute(images) {
      for (const [index, image] of images.entries()) fill(values, index * plane * 3, image);
      const used = values.subarray(0, images.length * plane * 3);
      const feeds = { [inputName]: new Tensor(input, used, shapeOf(images.length)) };
      const { data } = (await session.run(feeds))[outputName];
      const classes = data.length / images.length;
      return images.map((_, index) => data.subarray(index * classes, (index + 1) * classes));
    },
  };
}

/** The class with the largest logit. */
export function best(logits) {
  let index = 0;
  for (let other = 1; other < logits.length; other++) if (logits[other] > logits[index]) index = other;
  return index;
}

/** The index of the first pixel of each row of the central crop, as torchvision rounds it: halves to even. */
function* cropRows({ width, height }) {
  const offset = (length) => {
    const half = (length - side) / 2;
    return Number.isInteger(half) || Math.floor(half) % 2 === 1 ? Math.ceil(half) : Math.floor(half);
  };
  for (let row = 0; row < side; row++) yield (offset(height) + row) * width + offset(width);
}

function fillBytes(values, at, { data, info }) {
  for (const first of cropRows(info)) {
    values.set(data.subarray(first * 3, (first + side) * 3), at);
    at += side * 3;
  }
}

/** Normalises by table, which is faster than by arithmetic. */
function fillFloats({ mean, std }) {
  const tables = mean.map((value, channel) =>
    Float32Array.from({ length: 256 }, (_, level) => (level / 255 - value) / std[channel]),
  );
  return (values, at, { data, info }) => {
    const [red, green, blue] = tables;
    for (const first of cropRows(info)) {
      for (let from = first * 3; from < (first + side) * 3; from += 3, at++) {
        values[at] = red[data[from]];
        values[at + plane] = green[data[from + 1]];
        values[at + 2 * plane] = blue[data[from + 2]];
      }
    }
  };
}
