import { types } from 'node:util';

import { bytesOf, littleEndian } from '../protocol/bytes.js';
import { lengthHeader } from './inference-request.js';
import type { ResponseTensor } from '../protocol/types.js';

/** A response, as its headers and its body. */
export interface EncodedResponse {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Writes the response to an inference request: JSON, with the tensors behind it that were asked for as binary data. */
export function httpResponseOf(
  model: { readonly name: string; readonly version: string },
  id: string | undefined,
  tensors: readonly ResponseTensor[],
): EncodedResponse {
  const behind: Buffer[] = [];
  const outputs = tensors.map(({ name, datatype, shape, values, isBinary }) => {
    if (!isBinary) return { name, datatype, shape, data: [...values] };
    const bytes = types.isFloat32Array(values) ? littleEndian(values) : bytesOf(values);
    behind.push(bytes);
    return { name, datatype, shape, parameters: { binary_data_size: bytes.byteLength } };
  });
  const { name, version } = model;
  const json = Buffer.from(
    JSON.stringify({
      model_name: name,
      model_version: version,
      ...(id === undefined ? {} : { id }),
      outputs,
    }),
  );
  if (behind.length === 0) return { headers: { 'content-type': 'application/json' }, body: json };
  return {
    headers: { 'content-type': 'application/octet-stream', [lengthHeader]: String(json.byteLength) },
    body: Buffer.concat([json, ...behind]),
  };
}
