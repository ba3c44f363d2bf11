import { manifest } from '../../package-files.js';
import type { PipelineStats } from '../../pipeline/index.js';
import type { ModelInfo } from '../../model/model-info.js';
import { outputNames } from './outputs.js';

/** A tensor in the description of a model. -1 stands for any length. */
interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/** What the server is, and which extensions of the protocol it has. */
export const serverMetadata: ServerMetadata = {
  name: manifest.name,
  version: manifest.version,
  extensions: [
    'binary_tensor_data',
    'classification',
    'model_configuration',
    'model_repository',
    'statistics',
  ],
};

/** Each request has one of the inputs. pixel_values may also be UINT8 [N,H,W,3]. */
export function modelMetadata(name: string, versions: readonly string[], info: ModelInfo): ModelMetadata {
  const lengths = { logits: info.numClasses, probabilities: info.numClasses, embedding: info.features };
  return {
    name,
    versions,
    platform: 'ghostnet_libtorch',
    inputs: [
      { name: 'image', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'pixel_values', datatype: 'FP32', shape: [-1, 3, -1, -1] },
    ],
    outputs: outputNames(info.numClasses).map((output) => ({
      name: output,
      datatype: 'FP32',
      shape: [-1, lengths[output]],
    })),
  };
}

/** The model in the form of Triton's model configuration, as far as it has a meaning here. */
export function modelConfiguration(metadata: ModelMetadata, maxBatch: number): object {
  const dims = ({ shape }: TensorMetadata): readonly number[] => shape.slice(1);
  const typeOf = ({ datatype }: TensorMetadata): string =>
    datatype === 'BYTES' ? 'TYPE_STRING' : 'TYPE_FP32';
  return {
    name: metadata.name,
    platform: metadata.platform,
    backend: manifest.name,
    max_batch_size: maxBatch,
    input: metadata.inputs.map((input) => ({
      name: input.name,
      data_type: typeOf(input),
      dims: dims(input),
      optional: true,
    })),
    output: metadata.outputs.map((output) => ({
      name: output.name,
      data_type: typeOf(output),
      dims: dims(output),
    })),
    dynamic_batching: {},
  };
}

/** What a model knows of itself beside the counts of its queue. */
export interface ModelHistory {
  readonly name: string;
  readonly version: string;
  /** When its last result was there, in milliseconds since 1970; 0 if there is none. */
  readonly lastInferenceAt: number;
  /** How long requests took that failed, in milliseconds. */
  readonly failedMs: number;
}

/** The statistics of a model in the form of Triton's statistics extension. Each image counts as a request. */
export function modelStatistics(model: ModelHistory, stats: PipelineStats): object {
  const duration = (count: number, milliseconds: number): object => ({
    count,
    ns: Math.round(milliseconds * 1e6),
  });
  const { name, version, lastInferenceAt, failedMs } = model;
  const { succeeded, failed, aborted, timedOut, rejected, spentMs, batchSizes, batchMs } = stats;
  const images = Object.entries(batchSizes).reduce((sum, [size, count]) => sum + Number(size) * count, 0);
  return {
    name,
    version,
    last_inference: lastInferenceAt,
    inference_count: images,
    execution_count: stats.batches,
    inference_stats: {
      success: duration(succeeded, stats.totalMs.sum),
      fail: duration(failed + aborted + timedOut + rejected, failedMs),
      queue: duration(succeeded, spentMs.waiting),
      compute_input: duration(succeeded, spentMs.decoding),
      compute_infer: duration(succeeded, spentMs.computing),
      compute_output: duration(succeeded, 0),
      cache_hit: duration(0, 0),
      cache_miss: duration(0, 0),
    },
    // Images are decoded one by one, before they are in a batch.
    batch_stats: Object.entries(batchSizes).map(([size, count]) => ({
      batch_size: Number(size),
      compute_input: duration(count, 0),
      compute_infer: duration(count, batchMs[Number(size)] ?? 0),
      compute_output: duration(count, 0),
    })),
  };
}
