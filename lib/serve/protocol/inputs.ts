import { types } from 'node:util';

import { quote } from '../../check/words.js';
import { Tensor } from '../../tensor.js';
import { badRequest } from '../faults.js';
import { elementsOf } from './bytes.js';
import type { RequestTensor } from './types.js';

/** What a request is about: pictures in files, or a tensor that a network takes. */
export type Input = { readonly files: readonly Uint8Array[] } | { readonly tensor: Tensor };

/** The names of the inputs that a model has. */
export const inputNames = ['image', 'pixel_values'] as const;

/**
 * The one input of a request.
 *
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`, `GHOSTNET_BAD_SHAPE`, `GHOSTNET_OUT_OF_MEMORY`
 */
export function inputOf(inputs: readonly RequestTensor[]): Input {
  const [input, ...others] = inputs;
  const expected = 'one input: image, BYTES, or pixel_values, UINT8 [N,H,W,3] or FP32 [N,3,H,W]';
  if (input === undefined || others.length > 0)
    throw badRequest('The request has the wrong number of inputs', {
      found: String(inputs.length),
      expected,
    });
  if (input.name === 'image') return { files: filesOf(input) };
  if (input.name === 'pixel_values') return { tensor: tensorOf(input) };
  throw badRequest('The model has no input of this name', { found: quote(input.name), expected });
}

function filesOf({ name, datatype, shape, content }: RequestTensor): readonly Uint8Array[] {
  if (datatype !== 'BYTES')
    throw badRequest('The input image has the wrong datatype', { found: quote(datatype), expected: 'BYTES' });
  if (!(shape.length === 1 || (shape.length === 2 && shape[1] === 1))) {
    throw badRequest('The input image has the wrong shape', {
      found: `[${shape.join(',')}]`,
      expected: '[N] or [N,1]',
    });
  }
  const count = shape[0] ?? 0;
  if (types.isUint8Array(content)) return elementsOf(content, count, name);
  const files = flat(content, shape.length, count, name);
  return files.map((text) => {
    if (types.isUint8Array(text)) return text;
    if (typeof text === 'string' && isBase64(text)) return Buffer.from(text, 'base64');
    throw badRequest('An element of the input image is not text in base64', {
      found: typeof text === 'string' ? `${text.length} characters` : typeof text,
      expected: 'the content of an image file in base64; without JSON, as binary data, it is a third shorter',
    });
  });
}

/** As RFC 4648 says, with or without padding; Buffer skips over whatever it does not know. */
function isBase64(text: string): boolean {
  return text.length > 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

const dtypes = { UINT8: 'uint8', FP32: 'float32' } as const;

function tensorOf({ name, datatype, shape, content }: RequestTensor): Tensor {
  const dtype = Object.hasOwn(dtypes, datatype) ? dtypes[datatype as keyof typeof dtypes] : undefined;
  if (dtype === undefined) {
    throw badRequest('The input pixel_values has the wrong datatype', {
      found: quote(datatype),
      expected: 'UINT8, [N,H,W,3], or FP32, [N,3,H,W]',
    });
  }
  const count = shape.reduce((product, length) => product * length, 1);
  if (types.isUint8Array(content)) {
    const bytes = count * (dtype === 'uint8' ? 1 : 4);
    // Before memory is taken for what the shape says.
    if (content.byteLength !== bytes) {
      throw badRequest(`The input ${name} has another number of bytes than its shape says`, {
        found: `${content.byteLength} bytes`,
        expected: `${bytes} bytes for ${datatype} [${shape.join(',')}]`,
      });
    }
    const tensor = Tensor.empty(dtype, shape);
    const { data } = tensor;
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(content);
    return tensor;
  }
  const numbers = flat(content, shape.length, count, name);
  const isRight = dtype === 'uint8' ? isByte : isNumber;
  if (!numbers.every(isRight)) {
    throw badRequest(`The input ${name} has a value that ${datatype} cannot hold`, {
      expected: dtype === 'uint8' ? 'whole numbers from 0 to 255' : 'finite numbers',
    });
  }
  const tensor = Tensor.empty(dtype, shape);
  tensor.data.set(numbers);
  return tensor;
}

const isByte = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(Math.fround(value));

/** The values of nested lists, or of one list, as the protocol allows both. */
function flat(content: readonly unknown[], depth: number, count: number, name: string): readonly unknown[] {
  const values = content.flat(Math.max(0, depth - 1));
  if (values.length === count && !values.some(Array.isArray)) return values;
  throw badRequest(`The input ${name} has another number of values than its shape says`, {
    found: `${values.length}, in lists`,
    expected: `${count}, as one list or nested as the shape is`,
  });
}
