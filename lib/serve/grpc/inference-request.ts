import { quote } from '../../check/words.js';
import { badRequest } from '../faults.js';
import { countIn, shapeIn, timeoutIn } from '../protocol/json.js';
import type { InferenceRequest, RequestTensor } from '../protocol/types.js';
import type { InferInputTensor, ModelInferRequest, Parameters, TensorContents } from './messages.js';

/** The most inputs and outputs of a request, as in JSON. */
const mostTensors = 100;

/**
 * Reads the message of an inference request.
 *
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`
 */
export function grpcRequestOf(message: ModelInferRequest): InferenceRequest {
  const { id, parameters, inputs, outputs, raw_input_contents: raw } = message;
  if (inputs.length > mostTensors || outputs.length > mostTensors) {
    throw badRequest('The request has too many inputs or outputs', {
      found: `${inputs.length} and ${outputs.length}`,
      expected: `at most ${mostTensors}`,
    });
  }
  if (raw.length > 0 && raw.length !== inputs.length) {
    throw badRequest('The raw_input_contents are not those of the inputs', {
      found: `${raw.length} for ${inputs.length} inputs`,
      expected: 'one for each input, or none',
    });
  }
  return {
    id,
    inputs: inputs.map((input, index) => inputOf(input, raw[index])),
    outputs: outputs.map((output) => ({
      name: output.name,
      isBinary: true,
      classes:
        countIn(valueOf(output.parameters, 'classification'), 'The parameter classification of an output') ??
        0,
    })),
    isBinary: true,
    timeoutMs: timeoutIn(valueOf(parameters, 'timeout')),
  };
}

function inputOf(input: InferInputTensor, raw: Buffer | undefined): RequestTensor {
  const { name, datatype, contents } = input;
  const shape = shapeIn(input.shape, `the input ${quote(name)}`);
  if (raw === undefined) return { name, datatype, shape, content: valuesOf(contents, datatype) };
  if (contents === null) return { name, datatype, shape, content: raw };
  throw badRequest(`The input ${quote(name)} is there twice`, {
    found: 'contents and raw_input_contents',
    expected: 'one of them',
  });
}

/** The lists of the datatypes that models take. */
const lists: ReadonlyMap<string, keyof TensorContents> = new Map([
  ['BYTES', 'bytes_contents'],
  ['FP32', 'fp32_contents'],
  ['UINT8', 'uint_contents'],
]);

/** The values of a tensor. Those of another datatype are refused by its name. */
function valuesOf(contents: TensorContents | null, datatype: string): readonly unknown[] {
  const list = lists.get(datatype);
  return list === undefined || contents === null ? [] : contents[list];
}

function valueOf(parameters: Parameters, name: string): unknown {
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  return parameter?.parameter_choice === undefined ? undefined : parameter[parameter.parameter_choice];
}
