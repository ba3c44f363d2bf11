import type { NativeOutput } from '../native/addon.js';
import { GhostNetError } from '../errors.js';
import type { Serving } from './model.js';
import { inputOf, type Input } from './protocol/inputs.js';
import { requestedOutputs, responseTensors, wantsOf } from './protocol/outputs.js';
import type { InferenceRequest, ResponseTensor } from './protocol/types.js';

/**
 * Computes a request of the protocol.
 *
 * @param signal - fires when the client is gone
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`, and those of the queue, the images and the network
 */
export async function infer(
  serving: Serving,
  request: InferenceRequest,
  signal: AbortSignal,
): Promise<ResponseTensor[]> {
  const { numClasses, labels } = serving.model.info;
  const outputs = requestedOutputs(request, numClasses);
  const input = inputOf(request.inputs);
  const images = 'files' in input ? input.files.length : (input.tensor.shape[0] ?? 0);
  try {
    serving.checkCount(images);
  } catch (error) {
    if ('tensor' in input) input.tensor.dispose();
    throw error;
  }
  const computed = await compute(serving, input, wantsOf(outputs), signal, request.timeoutMs);
  return responseTensors(outputs, computed, images, labels);
}

/** What the network computes for an input, row after row. The first image that fails ends the work for the others. */
async function compute(
  serving: Serving,
  input: Input,
  wants: readonly NativeOutput[],
  client: AbortSignal,
  timeoutMs: number | undefined,
): Promise<Partial<Record<NativeOutput, Float32Array>>> {
  const failed = new AbortController();
  const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([client, failed.signal, ...(deadline === undefined ? [] : [deadline])]);
  try {
    if ('tensor' in input) return checked(await serving.tensor(input.tensor, wants, signal));
    const rows = await Promise.all(serving.images(input.files, { wants, signal }));
    return Object.fromEntries(
      wants.map((output) => {
        const length = rows[0]?.[output]?.length ?? 0;
        const all = new Float32Array(rows.length * length);
        for (const [position, row] of rows.entries()) all.set(row[output] ?? [], position * length);
        return [output, all];
      }),
    );
  } catch (error) {
    failed.abort(error);
    if (deadline?.aborted === true && !client.aborted)
      throw new GhostNetError('GHOSTNET_TIMEOUT', 'The time that the client set is over', {
        found: `more than ${timeoutMs ?? 0} ms`,
        remedy: 'Set a longer time, or try again when the server has less to do.',
      });
    throw error;
  }
}

/** JSON has no NaN, and nobody should take one for a score. */
function checked(
  computed: Partial<Record<NativeOutput, Float32Array>>,
): Partial<Record<NativeOutput, Float32Array>> {
  for (const values of Object.values(computed)) {
    if (values.every(Number.isFinite)) continue;
    throw new GhostNetError('GHOSTNET_RESULT_NOT_FINITE', 'A value of the result is NaN or infinite', {
      remedy: 'Check the values of the input, then the weights of the model.',
    });
  }
  return computed;
}
