import type { IncomingHttpHeaders } from 'node:http';

import { inWords, quote } from '../../check/words.js';
import { badRequest } from '../faults.js';
import { countIn, listIn, objectIn, parseBody, shapeIn, textIn, timeoutIn } from '../protocol/json.js';
import type { InferenceRequest, RequestedOutput, RequestTensor } from '../protocol/types.js';

/** The header with the length of the JSON, behind which the bytes of the tensors follow. */
export const lengthHeader = 'inference-header-content-length';

/**
 * Reads an inference request: JSON, or JSON with the binary tensor data extension, or, if the JSON has no length, one picture. The
 * Content-Type does not count: clients of Triton send none.
 *
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`
 */
export function httpRequestOf(headers: IncomingHttpHeaders, body: Uint8Array): InferenceRequest {
  const given = headers[lengthHeader];
  if (given === undefined) return requestOf(parseBody(body), undefined);
  const length = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : Infinity;
  if (length > body.byteLength) {
    throw badRequest('The header Inference-Header-Content-Length has the wrong value', {
      found: quote(String(given)),
      expected: `the length of the JSON, of at most the ${body.byteLength} bytes of the body`,
    });
  }
  if (length === 0) return rawRequest(body);
  return requestOf(parseBody(body.subarray(0, length)), body.subarray(length));
}

/** A body without JSON is the one element of the one input. */
function rawRequest(body: Uint8Array): InferenceRequest {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(body.byteLength);
  const content = Buffer.concat([header, body]);
  const inputs = [{ name: 'image', datatype: 'BYTES', shape: [1], content }];
  return { id: undefined, inputs, outputs: undefined, isBinary: true, timeoutMs: undefined };
}

function requestOf(
  json: Readonly<Record<string, unknown>>,
  binary: Uint8Array | undefined,
): InferenceRequest {
  const parameters = objectIn(json.parameters, 'The object parameters');
  const rest = new Rest(binary);
  const inputs = (listIn(json.inputs, 'The inputs') ?? []).map((input) => inputOf(input, rest));
  rest.end();
  return {
    id: json.id === undefined || json.id === null ? undefined : textIn(json.id, 'The id of the request'),
    inputs,
    outputs: listIn(json.outputs, 'The outputs')?.map((output) => outputOf(output, parameters)),
    isBinary: parameters.binary_data_output === true,
    timeoutMs: timeoutIn(parameters.timeout),
  };
}

function inputOf(input: Readonly<Record<string, unknown>>, rest: Rest): RequestTensor {
  const name = textIn(input.name, 'The name of an input');
  const what = `the input ${quote(name)}`;
  const datatype = textIn(input.datatype, `The datatype of ${what}`);
  const shape = shapeIn(input.shape, what);
  const size = countIn(
    objectIn(input.parameters, `The parameters of ${what}`).binary_data_size,
    'The parameter binary_data_size',
  );
  if (size !== undefined) return { name, datatype, shape, content: rest.take(size, what) };
  if (Array.isArray(input.data)) return { name, datatype, shape, content: input.data as unknown[] };
  throw badRequest(`The data of ${what} has the wrong form`, {
    found: inWords(input.data),
    expected: 'a list, or the parameter binary_data_size',
  });
}

function outputOf(
  output: Readonly<Record<string, unknown>>,
  request: Readonly<Record<string, unknown>>,
): RequestedOutput {
  const name = textIn(output.name, 'The name of an output');
  const parameters = objectIn(output.parameters, `The parameters of the output ${quote(name)}`);
  const binary = parameters.binary_data ?? request.binary_data_output;
  return {
    name,
    isBinary: binary === true,
    classes: countIn(parameters.classification, 'The parameter classification') ?? 0,
  };
}

/** The bytes behind the JSON, which the inputs take in their order. */
class Rest {
  readonly #bytes: Uint8Array | undefined;
  #at = 0;

  constructor(bytes: Uint8Array | undefined) {
    this.#bytes = bytes;
  }

  take(size: number, what: string): Uint8Array {
    const left = (this.#bytes?.byteLength ?? 0) - this.#at;
    if (this.#bytes === undefined || size > left) {
      throw badRequest(`The bytes of ${what} are not in the body`, {
        found: `${left} bytes behind the JSON`,
        expected: `${size} bytes, and the header Inference-Header-Content-Length`,
      });
    }
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  end(): void {
    const left = (this.#bytes?.byteLength ?? 0) - this.#at;
    if (left > 0)
      throw badRequest('The body goes on behind the data of the inputs', { found: `${left} further bytes` });
  }
}
