import type { GhostNetError } from '../errors.js';

/** The dtypes of arrays on the native side. */
export type NativeDType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** A tensor's memory; see native/addon/tensor_handle.h. */
export interface NativeTensor {
  readonly dtype: NativeDType;
  readonly shape: readonly number[];
  readonly buffer: ArrayBuffer;
  dispose(): void;
}

/** Bytes that JavaScript owns and native code reads while a job is pending. */
export interface NativeBytes {
  readonly dtype: NativeDType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** An image: a path, in bytes if it is not valid UTF-8; the content of a file; or RGB pixels. */
export type NativeImage =
  | { readonly path: string | Uint8Array }
  | {
      readonly bytes: Uint8Array;
      /** Whether no other code uses the memory, so that it need not be copied, and is freed after its use. */
      readonly isOwn?: boolean;
      readonly width?: number;
      readonly height?: number;
    };

/** See native/image/prepare.h. */
export interface NativePrepareOptions {
  /** `'sharp'`: files are read and left to it. */
  readonly decoder: 'auto' | 'sharp';
  readonly decode: 'exact' | 'fast';
  readonly maxImageBytes: number;
  readonly maxPixels: number;
  readonly maxCoefficientBytes: number;
}

/** See native/image/prepare.h. */
export interface NativePrepared {
  /** uint8 [inputSize,inputSize,3]; absent if the image is left to another decoder. */
  readonly input?: NativeTensor;
  /** uint8 [bytes]: the content of a path, if the decoder is `'sharp'`, or a copy of bytes that are left to it. */
  readonly file?: NativeTensor;
  /** Of the decoder, in eighths: 8 is the full size. */
  readonly scale: number;
  /** That the thread worked. */
  readonly milliseconds: number;
}

/** An array of a weights file. */
export interface NativeArray extends NativeBytes {
  readonly name: string;
}

/** How an image becomes the input of a network; see native/image/transform.h. */
export interface NativeTransform {
  readonly inputSize: number;
  readonly crop: number;
  readonly interpolation: 'bilinear' | 'bicubic';
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * One row of the stage table: kernel, expansion, out, squeeze-and-excitation ratio, stride, and 1 if the first ghost module has
 * DFC attention, as in GhostNetV2 and V3.
 */
export type StageRow = readonly [
  kernel: number,
  expansion: number,
  out: number,
  seRatio: number,
  stride: number,
  attention?: 0 | 1,
];

/**
 * How the weights of ghost modules are stored: with batch normalisations (GhostNet, GhostNetV2), as branches whose sum is a
 * convolution (GhostNetV3 and RepGhost in training), or as convolutions with the branches folded in (deployed).
 */
export type WeightsForm = 'norms' | 'branches' | 'deployed';

/** The shape of a network; see native/model/architecture.h. */
export interface NativeArchitecture {
  readonly variant: string;
  readonly stages: readonly (readonly StageRow[])[];
  readonly width: number;
  readonly numClasses: number;
  readonly dropout: number;
}

export interface NativeDescription extends NativeTransform, NativeArchitecture {
  readonly form: WeightsForm;
  readonly leastSide: number;
  readonly features: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
}

export interface NativeLayer {
  readonly name: string;
  readonly type: string;
  readonly detail: string;
  readonly output: readonly [channels: number, height: number, width: number];
  readonly parameters: number;
  readonly multiplyAdds: number;
}

/** Omitted options take the native defaults. */
export type Given<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The shape of a network, and how and where it computes; see native/runtime/network.h. */
export interface NativeSettings extends NativeTransform, NativeArchitecture {
  readonly backend: 'fused' | 'reference';
  /** A name from lib/model/precision.ts. */
  readonly precision: string;
  /** The number of the GPU; undefined for the CPU. */
  readonly gpu: number;
}

/** A GPU of this machine; see native/engine/cuda/library.h. */
export interface NativeGpu {
  readonly name: string;
  /** Compute capability, for example "9.0". */
  readonly capability: string;
  /** Whether the kernels can run on it. */
  readonly isSupported: boolean;
  /** In bytes. */
  readonly memory: number;
}

/** What a run returns: float32 [N,numClasses] or [N,1280]. */
export type NativeOutput = 'logits' | 'features';

/** Identifies a job, so that it can be aborted. */
export type Ticket = number;

/** A network; see native/addon/model_handle.h. */
export interface NativeModel {
  describe(): NativeDescription;
  layers(height: number, width: number): NativeLayer[];
  run(ticket: Ticket, input: NativeTensor, output: NativeOutput, threads: number): Promise<NativeTensor>;
  /** @param images - prepared by this model */
  classify(
    ticket: Ticket,
    images: readonly NativeTensor[],
    topK: number,
    threads: number,
  ): Promise<{ index: number; score: number }[][]>;
  /** @param images - prepared by this model */
  runImages(
    ticket: Ticket,
    images: readonly NativeTensor[],
    output: NativeOutput,
    threads: number,
  ): Promise<NativeTensor>;
  prepare(ticket: Ticket, image: NativeImage, options: NativePrepareOptions): Promise<NativePrepared>;
  /** @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE` if an image of these sides in pixels is too elongated to be resized */
  checkSides(height: number, width: number): void;
  /** @param form - `'deployed'` folds the branches of GhostNetV3 */
  state(ticket: Ticket, form: 'own' | 'deployed'): Promise<[name: string, array: NativeTensor][]>;
  dispose(): void;
}

/** How a network is trained; see native/training/settings.h. */
export interface NativeTrainingSettings extends NativeTransform, Omit<NativeArchitecture, 'variant'> {
  readonly optimizer: 'sgd' | 'adamw';
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  /** The decay of the moving average; 0: none. */
  readonly ema: number;
  /** 0: any. */
  readonly maxGradientNorm: number;
  readonly flip: boolean;
  readonly leastArea: number;
  readonly colorJitter: number;
  readonly mixup: number;
  readonly cutmix: number;
  readonly seed: number;
  readonly dtype: NativeDType;
  readonly threads: number;
}

/** The pictures of a step, besides their pixels. */
export interface NativeBatch {
  readonly labels: readonly number[];
  /** The number of each picture in the training. */
  readonly samples: readonly number[];
  readonly epoch: number;
  /** Of the whole training, from 0. */
  readonly step: number;
  /** Whether only the classifier learns. */
  readonly isFrozen: boolean;
}

/** Arrays by name. */
export type NativeState = readonly (readonly [name: string, array: NativeTensor])[];

/** A network in training; see native/training/trainer.h. */
export interface NativeTrainer {
  /** @param pixels - uint8 [N,S,S,3], RGB, N of at least 2 */
  step(ticket: Ticket, pixels: NativeTensor, batch: NativeBatch): Promise<{ loss: number; rate: number }>;
  /** The order of the samples of an epoch, int64 [count]. */
  order(ticket: Ticket, epoch: number, count: number): Promise<NativeTensor>;
  /** The weights that the training results in, by the names of the network. */
  weights(ticket: Ticket): Promise<NativeState>;
  /** All that the next step depends on: `model.NAME`, `average.NAME`, `optimizer.NAME.PART`. */
  state(ticket: Ticket): Promise<NativeState>;
  dispose(): void;
}

/** A report on the arrays of a checkpoint; see native/runtime/inspect.h. */
export interface NativeInspection {
  /** Absent if the arrays are not those of a GhostNet; `reason` then explains why. */
  readonly variant?: string;
  readonly width?: number;
  readonly numClasses?: number;
  readonly reason?: string;
  readonly missing: readonly string[];
  readonly reshaped: readonly string[];
  readonly unexpected: readonly string[];
}

/** What a classifier is fitted to; see native/training/probe.h. */
export interface NativeProbeTask {
  /** float32 [N,D] */
  readonly embeddings: NativeTensor;
  /** int32 [N] */
  readonly labels: NativeTensor;
  /** float32 [M,D] */
  readonly validation: NativeTensor;
  /** float64 [classes,D+1]: the parameters of another fit, to start from. */
  readonly start?: NativeTensor;
  /** float64 [D,D]: the covariance of another fit of these embeddings. */
  readonly covariance?: NativeTensor;
  readonly classes: number;
  readonly l2: number;
  readonly mostSteps: number;
  readonly tolerance: number;
  readonly threads: number;
}

/** A fitted classifier; see native/training/probe.h. */
export interface NativeProbeFit {
  /** float32 [classes,D] */
  readonly weight: NativeTensor;
  /** float32 [classes] */
  readonly bias: NativeTensor;
  /** float64 [classes,D+1] */
  readonly parameters: NativeTensor;
  /** float64 [D,D] */
  readonly covariance: NativeTensor;
  /** float32 [M,classes]: the softmax of the validation embeddings. */
  readonly scores: NativeTensor;
  readonly loss: number;
  readonly largestDerivative: number;
  readonly evaluations: number;
}

export interface NativeRuntime {
  readonly libtorch: string;
  /** The instruction set of LibTorch's kernels: DEFAULT, AVX2, AVX512, on ARM NEON. */
  readonly cpuCapability: string;
  readonly defaultThreads: number;
  readonly maxThreads: number;
}

/** The exports of the native addon, declared only here. */
export interface NativeAddon {
  readonly NativeTensor: new (
    dtype: NativeDType,
    shape: readonly number[],
    source?: ArrayBufferView,
  ) => NativeTensor;
  loadModel(
    ticket: Ticket,
    arrays: readonly NativeArray[],
    options: Given<NativeSettings>,
  ): Promise<NativeModel>;
  inspect(
    ticket: Ticket,
    arrays: readonly Pick<NativeArray, 'name' | 'shape'>[],
    options: Given<NativeArchitecture>,
  ): Promise<NativeInspection>;
  /** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` if a number is out of range */
  checkSettings(settings: Given<NativeTransform & NativeArchitecture>): void;
  createModel(
    ticket: Ticket,
    options: Given<NativeSettings & { readonly seed: number }>,
  ): Promise<NativeModel>;
  /** @param arrays - `model.NAME`, and what else the state of a trainer has */
  createTrainer(
    ticket: Ticket,
    arrays: readonly NativeArray[],
    settings: NativeTrainingSettings,
  ): Promise<NativeTrainer>;
  ghostModule(
    ticket: Ticket,
    x: NativeTensor,
    weights: Readonly<Record<string, NativeTensor>>,
    options: { outChannels: number | undefined; stride: number; relu: boolean; threads: number },
  ): Promise<NativeTensor>;
  /** On threads of its own. An abort ends it soon. */
  fitProbe(ticket: Ticket, task: NativeProbeTask): Promise<NativeProbeFit>;
  nullRun(ticket: Ticket, input: NativeTensor): Promise<NativeTensor>;
  /** Multiply-adds per second. */
  measurePeak(ticket: Ticket, threads: number): Promise<number>;
  /** @param library - path of the GPU library, empty if there is none */
  listGpus(library: string): NativeGpu[];
  newTicket(): Ticket;
  abort(ticket: Ticket, reason: unknown): boolean;
  setErrorFactory(
    factory: (code: string, what: string, found?: string, expected?: string) => GhostNetError,
  ): void;
  runtime(): NativeRuntime;
  stop(): void;
  /** Ends the process without waiting for any thread. */
  exit(code: number): never;
}
