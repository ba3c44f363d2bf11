import type { PipelineStats } from '../pipeline/index.js';

/** One of the numbers of a metric. */
export interface Series {
  /** What follows the metric's name, as `_bucket` does. */
  readonly suffix?: string;
  /** Labels beside those of the model. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly read: (stats: PipelineStats) => number;
}

/** A metric of a pipeline: a name of Prometheus and where its numbers come from. */
export interface Definition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly series: readonly Series[];
}

type Read = Series['read'];

/** Bounds of the histogram of batch sizes, up to the largest `maxBatch`. */
const bounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

const counter = (name: string, help: string, read: Read): Definition => ({
  name,
  type: 'counter',
  help,
  series: [{ read }],
});

const divided = (
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  label: string,
  parts: Readonly<Record<string, Read>>,
): Definition => ({
  name,
  type,
  help,
  series: Object.entries(parts).map(([value, read]) => ({ labels: { [label]: value }, read })),
});

const microseconds = (milliseconds: number): number => Math.round(milliseconds * 1000);

/** The sum of `count` over the batches whose size is at most `bound`. */
function overBatches(bound: number, count: (size: number, batches: number) => number): Read {
  return ({ batchSizes }) =>
    Object.entries(batchSizes).reduce(
      (sum, [size, batches]) => (Number(size) <= bound ? sum + count(Number(size), batches) : sum),
      0,
    );
}

const images = overBatches(Infinity, (size, batches) => size * batches);
const batchesUpTo = (bound: number): Read => overBatches(bound, (_, batches) => batches);

/** Names, types and labels of Triton Inference Server, so that its dashboards and alerts work. */
const tritons: readonly Definition[] = [
  counter('nv_inference_request_success', 'Images that were computed for their caller', (s) => s.succeeded),
  divided(
    'counter',
    'nv_inference_request_failure',
    'Images that failed. REJECTED: timed out; CANCELED: aborted; BACKEND: not computed; OTHER: not decoded',
    'reason',
    {
      REJECTED: (s) => s.timedOut,
      CANCELED: (s) => s.aborted,
      BACKEND: (s) => s.computeFailed,
      OTHER: (s) => s.failed - s.computeFailed,
    },
  ),
  counter('nv_inference_count', 'Images of all batches', images),
  counter('nv_inference_exec_count', 'Batches that the engine has computed', (s) => s.batches),
  counter(
    'nv_inference_request_duration_us',
    'Cumulative time from run() to the result, in microseconds',
    (s) => microseconds(s.totalMs.sum),
  ),
  counter(
    'nv_inference_queue_duration_us',
    'Cumulative time in the queue, before the decoding and before the computation, in microseconds',
    (s) => microseconds(s.spentMs.waiting),
  ),
  counter(
    'nv_inference_compute_input_duration_us',
    'Cumulative time of reading, decoding and resizing, in microseconds',
    (s) => microseconds(s.spentMs.decoding),
  ),
  counter(
    'nv_inference_compute_infer_duration_us',
    'Cumulative time of the computation in microseconds, the whole of a batch for each of its images',
    (s) => microseconds(s.spentMs.computing),
  ),
  counter(
    'nv_inference_compute_output_duration_us',
    'Always 0: the computation includes its output',
    () => 0,
  ),
  {
    name: 'nv_inference_pending_request_count',
    type: 'gauge',
    help: 'Images that have been given to run() and not yet to the engine',
    series: [{ read: (s) => s.waiting + s.blocked }],
  },
];

/** What Triton has no name for. */
const ours: readonly Definition[] = [
  counter(
    'ghostnet_queue_rejections_total',
    'Images that were not taken because the queue was full',
    (s) => s.rejected,
  ),
  counter('ghostnet_timeouts_total', 'Images that waited longer than timeoutMs', (s) => s.timedOut),
  counter(
    'ghostnet_decode_seconds_total',
    'Time that threads spent on decoding and resizing, of images that were computed',
    (s) => s.decodeMs.sum / 1000,
  ),
  {
    name: 'ghostnet_batch_size',
    type: 'histogram',
    help: 'Images in a batch',
    series: [
      ...bounds.map((bound) => ({
        suffix: '_bucket',
        labels: { le: String(bound) },
        read: batchesUpTo(bound),
      })),
      { suffix: '_bucket', labels: { le: '+Inf' }, read: batchesUpTo(Infinity) },
      { suffix: '_sum', read: images },
      { suffix: '_count', read: batchesUpTo(Infinity) },
    ],
  },
  divided('gauge', 'ghostnet_images', 'Images in the pipeline now, each in one stage', 'stage', {
    blocked: (s) => s.blocked,
    waiting: (s) => s.waiting - s.decoding - s.ready,
    decoding: (s) => s.decoding,
    ready: (s) => s.ready,
    computing: (s) => s.computing,
  }),
];

/** Every metric of a pipeline. */
export const definitions: readonly Definition[] = [...tritons, ...ours];
