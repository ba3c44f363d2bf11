import { types } from 'node:util';

import { bytesOf, littleEndian } from '../protocol/bytes.js';
import type { ResponseTensor } from '../protocol/types.js';
import type { ModelInferResponse } from './messages.js';

/** The message of the response to an inference request. */
export function grpcResponseOf(
  model: { readonly name: string; readonly version: string },
  id: string | undefined,
  tensors: readonly ResponseTensor[],
): ModelInferResponse {
  return {
    model_name: model.name,
    model_version: model.version,
    id: id ?? '',
    outputs: tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_output_contents: tensors.map(({ values }) =>
      types.isFloat32Array(values) ? littleEndian(values) : bytesOf(values),
    ),
  };
}
