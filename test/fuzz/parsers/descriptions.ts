import { readFileSync } from 'node:fs';

import { nameArrays } from '../../../lib/checkpoint/names.js';
import { readSafetensors } from '../../../lib/checkpoint/index.js';
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

const names = [...embedded.arrays.keys()];
const nameSeeds = [
  names,
  names.map((name) => `module.${name}`),
  names.flatMap((name) => [name, `${name}.total_ops`, `${name}.total_params`]),
  ['features.0.0.weight', 'features.1.conv.weight', 'squeeze.0.weight', 'classifier.weight'],
].map((list) => Buffer.from(list.slice(0, 60).join('\n')));

/** The names of arrays. */
const arrayNames: Target = {
  name: 'names of arrays',
  share: 1,
  codes: ['GHOSTNET_UNSUPPORTED_FORMAT'],
  make: (random) => {
    const words = ['module.', '\n', 'total_ops', '.', 'features.9.', 'squeeze.', '', '__proto__'];
    return mutate(nameSeeds, [...blind, editText(words, /([\n.])/)], random);
  },
  parse: (input) => {
    const keys = [...new Set(input.toString('latin1').split('\n'))];
    const { names: found, skipped } = nameArrays(keys, 'seed');
    if (found.length + skipped.length !== keys.length) throw new Error('A key was lost');
    if (new Set(found.map(([, name]) => name)).size !== found.length) throw new Error('A name occurs twice');
    return undefined;
  },
};

export const descriptions: readonly Target[] = [metadata, arrayNames];
