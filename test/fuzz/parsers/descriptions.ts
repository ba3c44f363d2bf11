import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { nameArrays } from '../../../lib/checkpoint/names.js';
import { readSafetensors, readShardIndex } from '../../../lib/checkpoint/index.js';
import { readHubConfig } from '../../../lib/model/hub-config.js';
import { readMetadata, writeMetadata } from '../../../lib/model/metadata.js';
import { blind, editNumber, editText, mutate } from './mutations.js';
import type { Target } from './target.js';

const embedded = readSafetensors(readFileSync('models/ghostnet_050_cifar10.safetensors'));
const description = embedded.metadata.ghostnet ?? '';
const reference = JSON.parse(description) as object;

const descriptionSeeds = [
  description,
  // As a later version might write it.
  JSON.stringify({ ...reference, later: { than: ['this'] } }),
  JSON.stringify({ numClasses: 2, labels: ['cat', 'dog'], stages: [[[3, 1, 16, 0, 1]]] }),
].map((text) => Buffer.from(text));

const descriptionWords = [
  ...['{', '}', '[', ']', ',', ':', 'null', 'true', '""', '"\\u001b[31m"', '"\\ud800"', '"__proto__"'],
  ...['0', '-1', '1e400', '1e-38', '1e38', '0.1', '9007199254740993', '"labels"', '"stages"', '"std"'],
];

/** The description of a model in the metadata of a safetensors file. */
const metadata: Target = {
  name: 'metadata',
  share: 2,
  codes: ['GHOSTNET_MALFORMED_FILE'],
  make: (random) => {
    const edit = editText(descriptionWords, /("[^"]*"|[{}[\],:])/);
    return mutate(descriptionSeeds, [...blind, edit, edit, edit, editNumber, editNumber], random);
  },
  parse: (input) => {
    const read = readMetadata({ ghostnet: input.toString() }, 'seed');
    if (Object.getPrototypeOf(read) !== Object.prototype) throw new Error('It has another prototype');
    // What was read can be written, and is then read as the same.
    const written = writeMetadata(read);
    const again = writeMetadata(readMetadata(written, 'seed'));
    if (written.ghostnet !== again.ghostnet) throw new Error('It reads otherwise what it wrote');
    return undefined;
  },
};

const hubSeeds = [
  { architecture: 'ghostnet_100', num_classes: 2, label_names: ['cat', 'dog'], pretrained_cfg: reference },
  {
    architecture: 'ghostnet_100',
    pretrained_cfg: {
      ...{ input_size: [3, 224, 224], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop_pct: 0.875 },
      ...{ crop_mode: 'center', interpolation: 'bicubic', num_classes: 1000 },
    },
  },
  { architecture: 'ghostnet_100', input_size: [3, 32, 32], interpolation: 'bilinear', crop_pct: 1 },
].map((config) => Buffer.from(JSON.stringify(config)));

/** The config.json of timm. */
const hubConfig: Target = {
  name: 'config.json',
  share: 1,
  codes: ['GHOSTNET_MALFORMED_FILE', 'GHOSTNET_UNSUPPORTED_FORMAT'],
  make: (random) => {
    const words = [...descriptionWords, '"pretrained_cfg"', '"input_size"', '"num_classes"', '"lanczos"'];
    const edit = editText(words, /("[^"]*"|[{}[\],:])/);
    return mutate(hubSeeds, [...blind, edit, edit, edit, editNumber, editNumber], random);
  },
  parse: (input) => {
    const { metadata: read, numClasses = 0 } = readHubConfig(input.toString(), 'seed', {});
    if (!Number.isSafeInteger(numClasses) || numClasses < 0) throw new Error('It has no number of classes');
    writeMetadata(read);
    return undefined;
  },
};

const indexSeeds = [
  { metadata: { total_size: 8 }, weight_map: { a: 'model-1.safetensors', b: 'below/model-2.safetensors' } },
].map((index) => Buffer.from(JSON.stringify(index)));

/** The index of sharded safetensors. */
const shardIndex: Target = {
  name: 'index of shards',
  share: 1,
  codes: ['GHOSTNET_MALFORMED_FILE'],
  make: (random) => {
    const words = [
      ...descriptionWords,
      '"weight_map"',
      '"../a.safetensors"',
      '"/a.safetensors"',
      '/',
      '..',
      '\\',
    ];
    const edit = editText(words, /("[^"]*"|[{}[\],:./])/);
    return mutate(indexSeeds, [...blind, edit, edit, edit], random);
  },
  parse: (input) => {
    for (const file of readShardIndex(input.toString(), 'seed', '.safetensors').keys()) {
      const path = resolve('/folder', file);
      if (!path.startsWith('/folder/') || path.length !== `/folder/${file}`.length)
        throw new Error('It leads elsewhere');
    }
    return undefined;
  },
};

const names = [...embedded.arrays.keys()];
const telling = names.filter((name) => /^(?:conv_stem|blocks\.0\.0)\./.test(name));
const nameSeeds = [
  names,
  names.map((name) => `module.${name}`),
  telling.map((name) => `module._orig_mod.${name}`),
  telling.flatMap((name) => [`student.${name}`, `teacher.${name}`]),
  telling.flatMap((name) => [name, `ema.${name}`]),
  names.flatMap((name) => [name, `${name}.total_ops`, `${name}.total_params`]),
  ['features.0.0.weight', 'features.1.conv.weight', 'squeeze.0.weight', 'classifier.weight'],
].map((list) => Buffer.from(list.slice(0, 60).join('\n')));

/** The names of arrays. */
const arrayNames: Target = {
  name: 'names of arrays',
  share: 1,
  codes: ['GHOSTNET_UNSUPPORTED_FORMAT', 'GHOSTNET_PARAMETERS_MISMATCH', 'GHOSTNET_INVALID_ARGUMENT'],
  make: (random) => {
    const words = [
      'module.',
      'conv_stem.weight',
      'blocks.0.0.',
      '\n',
      'total_ops',
      '.',
      'features.9.',
      'squeeze.',
      '',
      '__proto__',
    ];
    return mutate(nameSeeds, [...blind, editText(words, /([\n.])/)], random);
  },
  parse: (input) => {
    const keys = [...new Set(input.toString('latin1').split('\n'))];
    const asked = [undefined, undefined, '', 'student.'][input.length % 4];
    const { names: found, skipped, prefix } = nameArrays(keys, 'seed', asked);
    if (found.some(([key, name]) => key !== prefix + name)) throw new Error('A key has another prefix');
    if (found.length + skipped.length !== keys.length) throw new Error('A key was lost');
    if (new Set(found.map(([, name]) => name)).size !== found.length) throw new Error('A name occurs twice');
    return undefined;
  },
};

export const descriptions: readonly Target[] = [metadata, hubConfig, shardIndex, arrayNames];
