import { availableParallelism } from 'node:os';

const cores = availableParallelism();

/** The combinations of the values of each setting. */
function grid(settings) {
  return Object.entries(settings).reduce(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}

const inputs = ['uint8', 'float32'];
const batch = [1, 8, 16];

// One thread that decodes ahead in libuv's pool and computes; or as many such threads as there are cores.
const onnxruntime = [
  ...grid({ workers: [0], batch, input: inputs, intra: [1] }),
  ...grid({ workers: [0], batch, input: inputs, intra: [2], spin: [true, false] }),
  ...grid({ workers: [cores], batch, input: inputs, intra: [1] }),
];

const sharpAndOnnxruntime = {
  group: 'ort',
  file: 'sharp-onnxruntime',
  candidates: onnxruntime,
  leading: 4,
};

/**
 * What is compared, ours first. `fixed` are the settings that make a contender what it is, `candidates` those of which the best is
 * measured. Once a search has ranked them for another size, or for the contender that this one is `like`, only the first few,
 * `leading`, are tried.
 */
export const contenders = [
  { key: 'exact', group: 'ours', file: 'ghostnet', title: 'ghostnet, exact', fixed: { decode: 'exact' } },
  { key: 'fast', group: 'ours', file: 'ghostnet', title: 'ghostnet, fast', fixed: { decode: 'fast' } },
  {
    ...sharpAndOnnxruntime,
    key: 'ort',
    title: 'sharp + onnxruntime-node',
    fixed: { shrink: 'usual' },
  },
  {
    ...sharpAndOnnxruntime,
    sizes: ['12mp'],
    key: 'ort-less',
    title: 'the same, fastShrinkOnLoad: false',
    fixed: { shrink: 'less' },
    like: 'ort',
  },
  {
    ...sharpAndOnnxruntime,
    sizes: ['12mp'],
    key: 'ort-full',
    title: 'the same, decoding in full',
    fixed: { shrink: 'none' },
    like: 'ort',
  },
  {
    key: 'transformers',
    group: 'transformers',
    file: 'transformers',
    title: 'transformers.js',
    staged: false,
    fixed: {},
    candidates: grid({ batch: [1, 8], intra: [1, 2], calls: [1, 2] }),
  },
  {
    key: 'pil',
    group: 'pil',
    file: 'pil-torch',
    title: 'PIL + torch',
    fixed: { decoders: 2 },
    candidates: grid({ batch: [8, 16], intra: [1, 2] }),
  },
].map((contender) => ({
  candidates: [{}],
  leading: 2,
  staged: true,
  sizes: ['small', '12mp'],
  ...contender,
}));

/** The groups that --only takes. */
export const groups = [...new Set(contenders.map(({ group }) => group))];

/** Settings in words. */
export function settingsText(settings) {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
