import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCheckpoint, readSafetensors, writeSafetensors } from '../../lib/checkpoint/index.js';
import type { ArrayDType, ContainerFormat, WeightsChoice } from '../../lib/checkpoint/index.js';
import { errorOf } from '../fixtures/checkpoint/errors.js';

const folder = new URL('../fixtures/checkpoint/', import.meta.url);

interface Expectation {
  readonly file: string;
  readonly format: ContainerFormat;
  readonly weights: WeightsChoice;
  readonly wrapper: string | null;
  readonly skipped: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly arrays: readonly {
    readonly name: string;
    readonly dtype: ArrayDType;
    readonly shape: readonly number[];
    readonly data: string;
  }[];
}

const expectations = readFileSync(new URL('expected.jsonl', folder), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Expectation);

const bytesOf = (file: string) => readFileSync(new URL(`files/${file}`, folder));

describe('files written by PyTorch and safetensors', () => {
  it.each(expectations)('reads $file (weights: $weights)', (expected) => {
    const checkpoint = readCheckpoint(bytesOf(expected.file), { weights: expected.weights });
    expect(checkpoint.format).toBe(expected.format);
    expect(checkpoint.wrapper).toBe(expected.wrapper ?? undefined);
    expect(checkpoint.skipped).toEqual(expected.skipped);
    expect(checkpoint.metadata).toEqual(expected.metadata);
    const arrays = [...checkpoint.arrays].map(([name, { dtype, shape, data }]) => {
      return { name, dtype, shape, data: Buffer.from(data).toString('base64') };
    });
    // The reference implementation of safetensors reorders the arrays when it writes them.
    const byName = (a: { name: string }, b: { name: string }) =>
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
    if (expected.format === 'safetensors') {
      expect(arrays.sort(byName)).toEqual([...expected.arrays].sort(byName));
    } else {
      expect(arrays).toEqual(expected.arrays);
    }
  });

  it('names every file that must be read', () => {
    const readable = readdirSync(new URL('files/', folder)).filter((file) => !file.endsWith('.refused'));
    expect(new Set(expectations.map(({ file }) => file))).toEqual(new Set(readable));
  });

  it.each(['dtypes.safetensors', 'numpy.safetensors'])(
    'writes %s byte for byte as the reference does',
    (file) => {
      const bytes = bytesOf(file);
      const { arrays, metadata } = readSafetensors(bytes);
      expect(Buffer.from(writeSafetensors(arrays, metadata)).equals(bytes)).toBe(true);
      const backwards = [...arrays].reverse();
      expect(Buffer.from(writeSafetensors(backwards, metadata)).equals(bytes)).toBe(true);
    },
  );
});

const refusals: readonly (readonly [file: string, code: string, says: RegExp])[] = [
  ['torchscript.refused', 'GHOSTNET_UNSUPPORTED_FORMAT', /TorchScript/],
  ['exported.refused', 'GHOSTNET_UNSUPPORTED_FORMAT', /torch\.export \(\.pt2\)/],
  ['big-endian-zip.refused', 'GHOSTNET_UNSUPPORTED_FORMAT', /big-endian/],
  ['big-endian-legacy.refused', 'GHOSTNET_UNSUPPORTED_FORMAT', /big-endian/],
  ['no-checksums.refused', 'GHOSTNET_MALFORMED_FILE', /CRC.*set_crc32_options/],
  [
    'plain-pickle.refused',
    'GHOSTNET_UNSUPPORTED_FORMAT',
    /Python pickle of a dict, not a file of torch\.save/,
  ],
  ['numpy.refused', 'GHOSTNET_UNSUPPORTED_FORMAT', /NumPy archive/],
  ['tar.refused', 'GHOSTNET_UNSUPPORTED_FORMAT', /tar archive/],
  ['float8.refused', 'GHOSTNET_UNSUPPORTED_FORMAT', /"w" has the dtype F8_E4M3/],
  ...['zip', 'legacy'].flatMap((container): (readonly [string, string, RegExp])[] => [
    [
      `whole-model-${container}.refused`,
      'GHOSTNET_UNSUPPORTED_FORMAT',
      /an object of "__main__\.Block", not a state dict/,
    ],
    [`list-${container}.refused`, 'GHOSTNET_UNSUPPORTED_FORMAT', /contains a list, not a state dict/],
    [
      `quantised-${container}.refused`,
      'GHOSTNET_UNSUPPORTED_FORMAT',
      /"w" in the state dict is a quantised tensor/,
    ],
    [
      `sparse-${container}.refused`,
      'GHOSTNET_UNSUPPORTED_FORMAT',
      /"w" in the state dict is a sparse tensor/,
    ],
    [
      `complex-${container}.refused`,
      'GHOSTNET_UNSUPPORTED_FORMAT',
      /"w" lies in a "torch\.ComplexFloatStorage"/,
    ],
    [`negated-${container}.refused`, 'GHOSTNET_UNSUPPORTED_FORMAT', /"w" is a lazily negated/],
    [
      `expanded-${container}.refused`,
      'GHOSTNET_MALFORMED_FILE',
      /"w" and others that are views or expanded are larger than the whole file.*\.contiguous\(\)/,
    ],
    [`mixed-${container}.refused`, 'GHOSTNET_UNSUPPORTED_FORMAT', /"steps" in the state dict is a number/],
    [
      `no-tensors-${container}.refused`,
      'GHOSTNET_UNSUPPORTED_FORMAT',
      /no state dict, but a dict of "epoch" \(a number\), "lr" \(a number\)/,
    ],
    [
      `meta-${container}.refused`,
      'GHOSTNET_UNSUPPORTED_FORMAT',
      /"w" in the state dict is a tensor of the meta device/,
    ],
    [
      `uint16-${container}.refused`,
      'GHOSTNET_UNSUPPORTED_FORMAT',
      /"w" in the state dict is a tensor of a dtype without/,
    ],
  ]),
];

describe('files of other kinds', () => {
  it.each(refusals)('refuses %s with %s', (file, code, says) => {
    const error = errorOf(() => readCheckpoint(bytesOf(file), { source: file }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
    expect(error.message.startsWith(`${file}: `)).toBe(true);
  });

  it('names every file that must be rejected', () => {
    const refused = readdirSync(new URL('files/', folder)).filter((file) => file.endsWith('.refused'));
    expect(new Set(refusals.map(([file]) => file))).toEqual(new Set(refused));
  });
});

describe('the choice of weights', () => {
  it.each(['plain-p2.zip', 'plain-p2.legacy', 'numpy.safetensors', 'model.zip'])(
    'has no averaged ones in %s',
    (file) => {
      const error = errorOf(() => readCheckpoint(bytesOf(file), { weights: 'ema' }));
      expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
    },
  );

  it('has no plain ones in a file of averaged ones', () => {
    const error = errorOf(() => readCheckpoint(bytesOf('averaged.zip'), { weights: 'raw' }));
    expect(error.code).toBe('GHOSTNET_INVALID_ARGUMENT');
  });
});

const models = new URL('../../../shared/models/', import.meta.url);

describe.skipIf(!existsSync(models))('one trained network in three containers', () => {
  const read = (ending: string) =>
    readCheckpoint(readFileSync(new URL(`ghostnet_050_cifar10.${ending}`, models)));

  it('holds the same arrays in each', () => {
    const safetensors = read('safetensors');
    const zip = read('zip.pth');
    const legacy = read('legacy.pth');
    expect([safetensors.format, zip.format, legacy.format]).toEqual([
      'safetensors',
      'torch-zip',
      'torch-legacy',
    ]);
    expect(safetensors.arrays.size).toBe(512);
    expect([...zip.arrays.keys()]).toEqual([...legacy.arrays.keys()]);
    for (const { arrays } of [zip, legacy]) {
      expect(arrays.size).toBe(safetensors.arrays.size);
      for (const [name, array] of safetensors.arrays) {
        const other = arrays.get(name);
        expect(other?.dtype, name).toBe(array.dtype);
        expect(other?.shape, name).toEqual(array.shape);
        expect(Buffer.compare(other?.data ?? Buffer.alloc(0), array.data), name).toBe(0);
      }
    }
  });
});
