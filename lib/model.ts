import { writeSafetensors } from './checkpoint/index.js';
import { placementFor, type Device, type Placement } from './device.js';
import { GhostNetError } from './errors.js';
import { writeBytes } from './files.js';
import { decodeImage, type DecodedImage, type DecodeOptions, type ImageInput } from './image/decode.js';
import { runJob, throwIfAborted } from './jobs.js';
import { writeMetadata } from './metadata.js';
import { native, type NativeDescription, type NativeModel, type StageRow } from './native.js';
import { classifyAll, type ClassScore } from './pipeline/classify.js';
import { holdImage, type HeldImage } from './pipeline/images.js';
import type { Precision } from './precision.js';
import { layerTable } from './summary.js';
import { Tensor, type DType, type Shape } from './tensor.js';
import { openWeights, type WeightsSource } from './weights-source.js';

/** How photographs become a network's input: what it was trained with. */
export interface TransformOptions {
  /** Side of the square input in pixels, 32 or more. Default 224. */
  readonly inputSize?: number;
  /** Share of the shorter side that the input covers, above 0.01 and at most 1. Default 0.875. */
  readonly crop?: number;
  /** Default `'bicubic'`. */
  readonly interpolation?: 'bilinear' | 'bicubic';
  /** Mean of red, green and blue in [0, 1]. Default ImageNet's. */
  readonly mean?: readonly [number, number, number];
  /** Standard deviation of red, green and blue in [0, 1], above 0. Default ImageNet's. */
  readonly std?: readonly [number, number, number];
}

/** Options that every way of making a model takes. */
export interface ModelOptions extends TransformOptions, DecodeOptions {
  /** A name for each class, in the order of the logits. */
  readonly labels?: readonly string[];
  /**
   * Threads of one run, 1 to 256. Default: the processors that this process may use, by its affinity mask and the CPU quota
   * of its control group.
   */
  readonly threads?: number;
  /**
   * What computes: `'fused'`, the engine of this package, or `'reference'`, LibTorch's modules one after another, which is
   * slower. Their results differ by rounding. Default `'fused'`.
   */
  readonly backend?: 'fused' | 'reference';
  /**
   * What the engine stores activations and the weights of convolutions in: see {@link Precision}. Sums are float32 in all,
   * inputs and outputs stay float32. All but the default need the backend `'fused'`. Default `'float32'`.
   */
  readonly precision?: Precision;
  /**
   * Where the network runs: `'cpu'`, `'cuda'`, `'cuda:1'` and so on, or `'auto'`: a GPU where one can be used, else the CPU,
   * with one warning in a process. Default `'cpu'`.
   */
  readonly device?: Device;
  /** Drops the call while it waits. */
  readonly signal?: AbortSignal;
}

/** Options of {@link GhostNet.load}: what is given here goes before what the file says of itself. */
export interface LoadOptions extends ModelOptions {
  /** Which weights of a training checkpoint to take: `'auto'`, the default, prefers the moving average where there is one. */
  readonly weights?: 'auto' | 'ema' | 'raw';
}

/** Options of {@link GhostNet.create}. */
export interface CreateOptions extends ModelOptions {
  /** `'ghostnet_050'`, `'ghostnet_100'`, `'ghostnet_130'`, or any width in hundredths. Default `'ghostnet_100'`. */
  readonly variant?: string;
  /** A stage table of your own, instead of the variant's: rows of [kernel, expansion, out, seRatio, stride]. */
  readonly stages?: readonly (readonly StageRow[])[];
  /** Width multiplier, above 0; instead of the variant's. */
  readonly width?: number;
  /** Default 1000. */
  readonly numClasses?: number;
  /** Before the classifier while training, from 0 up to, not including, 1. Default 0.2. */
  readonly dropout?: number;
  /** A whole number from 0: weights are those of the PyTorch reference after `torch.manual_seed(seed)`. Default: random. */
  readonly seed?: number;
}

/** Options of a call that computes. */
export interface RunOptions {
  /** Drops the call while it waits for its turn; a run that has begun ends. */
  readonly signal?: AbortSignal;
}

/** Options of {@link GhostNet.classify}. */
export interface ClassifyOptions extends RunOptions {
  /** How many classes to give for each image, 1 to the number of classes. Default 5, or all where there are fewer. */
  readonly topK?: number;
  /** Images that are run together, 1 or more. Default 32. */
  readonly batchSize?: number;
}

/** What a model is. */
export interface ModelInfo extends NativeDescription {
  /** `'ghostnet_100'` and the like, or `'custom'`. */
  readonly variant: string;
  /** Width multiplier. */
  readonly width: number;
  /** The stage table: rows of [kernel, expansion, out, seRatio, stride], before the width multiplier. */
  readonly stages: readonly (readonly StageRow[])[];
  /** Number of classes. */
  readonly numClasses: number;
  /** Length of an embedding. */
  readonly features: number;
  /** Trainable parameters. */
  readonly parameters: number;
  /** Multiply-adds of one image at the input size, counted as the paper does. */
  readonly multiplyAdds: number;
  /** Names of the classes; `'class 0'`, `'class 1'`, ... where no file or option gave any. */
  readonly labels: readonly string[];
  /** Threads of one run. */
  readonly threads: number;
  /** What the engine stores activations and the weights of convolutions in. */
  readonly precision: Precision;
  /** Where it runs. */
  readonly device: 'cpu' | `cuda:${number}`;
}

type FitsLength<Actual extends number, Wanted extends number> = number extends Actual
  ? true
  : Actual extends Wanted
    ? true
    : false;
type Fits<S extends Shape, P extends Shape> = number extends S['length']
  ? true
  : S extends readonly [infer A extends number, ...infer SRest extends Shape]
    ? P extends readonly [infer B extends number, ...infer PRest extends Shape]
      ? FitsLength<A, B> extends true
        ? Fits<SRest, PRest>
        : false
      : false
    : P extends readonly []
      ? true
      : false;

/**
 * What a network takes, checked by the compiler as far as the shape is known to it: float32 [N,3,H,W], already normalised,
 * or uint8 [N,H,W,3], RGB.
 */
export type NetworkInput<D extends DType, S extends Shape> = Tensor<D, S> &
  (D extends 'float32'
    ? Fits<S, readonly [number, 3, number, number]> extends true
      ? unknown
      : 'expected float32 of shape [N,3,H,W]'
    : D extends 'uint8'
      ? Fits<S, readonly [number, number, number, 3]> extends true
        ? unknown
        : 'expected uint8 of shape [N,H,W,3]'
      : 'expected a tensor of dtype float32 or uint8');

/** The number of images in an input of shape S. */
export type BatchOf<S extends Shape> = S extends readonly [infer N extends number, ...Shape] ? N : number;

/** The model that ships with the package: GhostNet 0.5x, ten everyday classes; see `models/README.md`. */
export const embeddedModel = new URL('../models/ghostnet_050_cifar10.safetensors', import.meta.url);

/**
 * A GhostNet (arXiv 1911.11907) with weights. Every call that computes returns a promise and runs on a thread of its own,
 * one after another in the order of the calls; the event loop stays free.
 *
 * @example
 * ```ts
 * const model = await GhostNet.load();
 * const [best] = await model.classify('photo.jpg');
 * console.log(best.label, best.score);
 * ```
 */
export class GhostNet {
  readonly #model: NativeModel;
  readonly #description: NativeDescription;
  readonly #decode: DecodeOptions;
  /** What this model is: variant, sizes, transform, labels. */
  readonly info: ModelInfo;

  private constructor(model: NativeModel, options: ModelOptions, { device }: Placement) {
    this.#model = model;
    this.#description = model.describe();
    this.#decode = { colorProfile: options.colorProfile ?? 'ignore' };
    this.info = Object.freeze({
      ...this.#description,
      labels: labelsFor(options.labels, this.#description.numClasses),
      threads: options.threads ?? native().runtime().defaultThreads,
      precision: options.precision ?? 'float32',
      device,
    });
  }

  /**
   * Loads weights from a file or from bytes. Variant, width and number of classes are read off the shapes; input size, mean,
   * standard deviation and labels come from the file where this package saved it, else from the options.
   *
   * @param source - name of published weights that were pulled (`'ghostnet_100'`), or path, `file:` URL or content of a
   * weights file; the model that ships with the package when left out
   * @throws {@link GhostNetError} `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_NOT_PULLED`,
   * `GHOSTNET_UNSUPPORTED_MODEL`, `GHOSTNET_UNKNOWN_FORMAT`, `GHOSTNET_UNSUPPORTED_FORMAT`, `GHOSTNET_MALFORMED_FILE`, `GHOSTNET_PARAMETERS_MISMATCH`,
   * `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_UNSUPPORTED_PRECISION`, `GHOSTNET_ABORTED`; with a GPU `GHOSTNET_CUDA_NOT_INSTALLED`,
   * `GHOSTNET_CUDA_UNAVAILABLE`, `GHOSTNET_CUDA_UNSUPPORTED`, `GHOSTNET_CUDA_FAILED`, `GHOSTNET_OUT_OF_MEMORY`
   */
  static async load(source: WeightsSource = embeddedModel, options: LoadOptions = {}): Promise<GhostNet> {
    checkOptions(options);
    const placement = placementFor(options.device);
    const { arrays, metadata } = await openWeights(source, options.weights);
    const merged = { ...metadata, ...definedOf(options) } as ModelOptions;
    const model = await runJob(options.signal, (ticket) =>
      native().loadModel(ticket, arrays, { ...merged, gpu: placement.gpu }),
    );
    return GhostNet.#of(model, merged, placement);
  }

  /**
   * Makes a network with fresh weights, as PyTorch initialises them.
   *
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_UNSUPPORTED_PRECISION`, `GHOSTNET_ABORTED`; with a GPU
   * as {@link GhostNet.load}
   */
  static async create(options: CreateOptions = {}): Promise<GhostNet> {
    checkOptions(options);
    if (options.seed !== undefined && !(Number.isSafeInteger(options.seed) && options.seed >= 0)) {
      throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The seed is not a whole number', {
        found: String(options.seed),
        expected: 'a whole number from 0 to 2^53 - 1',
      });
    }
    const placement = placementFor(options.device);
    const model = await runJob(options.signal, (ticket) =>
      native().createModel(ticket, { ...options, gpu: placement.gpu }),
    );
    return GhostNet.#of(model, options, placement);
  }

  static #of(model: NativeModel, options: ModelOptions, placement: Placement): GhostNet {
    try {
      return new GhostNet(model, options, placement);
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /**
   * Logits of a batch.
   *
   * @param input - float32 [N,3,H,W], already normalised, or uint8 [N,H,W,3], RGB, which is scaled and normalised here; H and
   * W of 32 or more, not necessarily equal
   * @returns float32 [N,numClasses]
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`,
   * `GHOSTNET_OUT_OF_MEMORY`
   */
  async forward<D extends DType, S extends Shape>(
    input: NetworkInput<D, S>,
    options: RunOptions = {},
  ): Promise<Tensor<'float32', readonly [BatchOf<S>, number]>> {
    return this.#run(input, 'logits', options);
  }

  /**
   * Embeddings of a batch: what the classifier sees, for search and de-duplication.
   *
   * @param input - as for {@link GhostNet.forward}
   * @returns float32 [N,1280], each value 0 or more
   * @throws {@link GhostNetError} as {@link GhostNet.forward}
   */
  async embed<D extends DType, S extends Shape>(
    input: NetworkInput<D, S>,
    options: RunOptions = {},
  ): Promise<Tensor<'float32', readonly [BatchOf<S>, 1280]>> {
    return this.#run(input, 'features', options);
  }

  async #run<S extends Shape>(
    input: unknown,
    output: 'logits' | 'features',
    options: RunOptions,
  ): Promise<Tensor<'float32', S>> {
    if (!(input instanceof Tensor)) {
      throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The input is not a Tensor', {
        found: input === null ? 'null' : typeof input,
        expected: 'a Tensor',
        remedy:
          'Make one with Tensor.from(values, shape), or pass photographs to classify() or preprocess().',
      });
    }
    const handle = Tensor.handleOf(input as Tensor);
    const result = await runJob(options.signal, (ticket) =>
      this.#model.run(ticket, handle, output, this.info.threads),
    );
    return Tensor.wrap(result);
  }

  /**
   * The best classes of a photograph, or of each of several. Scores are the softmax over all classes, best first.
   *
   * @param images - one photograph, or a list of them: the result is a list for each then
   * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`,
   * `GHOSTNET_BAD_SHAPE`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`; of several images the first
   * that fails
   */
  async classify(images: readonly ImageInput[], options?: ClassifyOptions): Promise<ClassScore[][]>;
  async classify(image: ImageInput, options?: ClassifyOptions): Promise<ClassScore[]>;
  async classify(
    images: ImageInput | readonly ImageInput[],
    options: ClassifyOptions = {},
  ): Promise<ClassScore[] | ClassScore[][]> {
    const many: boolean = Array.isArray(images);
    const list = ((many ? images : [images]) as readonly ImageInput[]).map(holdImage);
    const results: ClassScore[][] = [];
    for await (const result of classifyAll(this, list, options)) {
      if (result.error !== undefined) throw result.error;
      results.push(result.classes);
    }
    return many ? results : (results[0] ?? []);
  }

  /**
   * Decodes, resizes and crops photographs to what {@link GhostNet.forward} and {@link GhostNet.embed} take.
   *
   * @returns uint8 [N,inputSize,inputSize,3], RGB
   * @throws {@link GhostNetError} as {@link GhostNet.classify}
   */
  async preprocess(
    images: readonly ImageInput[],
    options: RunOptions = {},
  ): Promise<Tensor<'uint8', readonly [number, number, number, 3]>> {
    throwIfAborted(options.signal);
    const decoded = await Promise.all(images.map(holdImage).map((image) => this.decode(image)));
    const result = await runJob(options.signal, (ticket) =>
      this.#model.prepare(ticket, decoded, this.info.threads),
    );
    return Tensor.wrap(result);
  }

  /** @internal */
  async decode(image: HeldImage): Promise<DecodedImage> {
    return decodeImage(image, this.#decode);
  }

  /** @internal */
  async classifyDecoded(
    images: readonly DecodedImage[],
    topK: number,
    options: RunOptions,
  ): Promise<ClassScore[][]> {
    const scores = await runJob(options.signal, (ticket) =>
      this.#model.classify(ticket, images, topK, this.info.threads),
    );
    const { labels } = this.info;
    return scores.map((classes) =>
      classes.map(({ index, score }) => ({ label: labels[index] ?? `class ${index}`, index, score })),
    );
  }

  /**
   * The layer table of the network: name, type, output shape, parameters and multiply-adds of each layer, and the sums.
   *
   * @param size - height and width of the input in pixels; the model's input size when left out
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_DISPOSED`
   */
  summary(
    size: { height: number; width: number } = { height: this.info.inputSize, width: this.info.inputSize },
  ): string {
    return layerTable(this.info, this.#model.layers(size.height, size.width), size);
  }

  /**
   * Parameters and buffers by the names that the official checkpoints use: float32, counters int64. Copies.
   *
   * @throws {@link GhostNetError} `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
   */
  async stateDict(options: RunOptions = {}): Promise<Map<string, Tensor<'float32' | 'int64'>>> {
    const arrays = await runJob(options.signal, (ticket) => this.#model.state(ticket));
    return new Map(arrays.map(([name, handle]) => [name, Tensor.wrap(handle)]));
  }

  /**
   * Writes weights, labels and transform to a safetensors file, which {@link GhostNet.load} and PyTorch read. Equal models
   * give equal bytes. The file appears whole or not at all.
   *
   * @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
   */
  async save(path: string | URL, options: RunOptions = {}): Promise<void> {
    const state = await this.stateDict(options);
    const arrays = [...state].map(([name, { dtype, shape, data }]) => {
      return [
        name,
        { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
      ] as const;
    });
    const metadata = writeMetadata({ ...this.#description, labels: this.info.labels });
    await writeBytes(path, writeSafetensors(arrays, metadata));
    for (const tensor of state.values()) tensor.dispose();
  }

  /** Gives up the weights; calls that wait or run still end well, later ones fail. Does nothing the second time. */
  dispose(): void {
    this.#model.dispose();
  }

  /** As {@link GhostNet.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function labelsFor(labels: readonly string[] | undefined, numClasses: number): readonly string[] {
  if (labels === undefined)
    return Object.freeze(Array.from({ length: numClasses }, (_, index) => `class ${index}`));
  if (labels.length !== numClasses) {
    throw new GhostNetError(
      'GHOSTNET_INVALID_ARGUMENT',
      'The labels are not as many as the classes of the model',
      {
        found: `${labels.length} labels`,
        expected: `${numClasses} labels, in the order of the logits`,
      },
    );
  }
  return Object.freeze([...labels]);
}

function checkOptions(options: ModelOptions): void {
  const { threads, labels, colorProfile } = options;
  const { maxThreads } = native().runtime();
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= maxThreads)) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The number of threads is out of range', {
      found: String(threads),
      expected: `a whole number from 1 to ${maxThreads}`,
    });
  }
  if (
    labels !== undefined &&
    !(Array.isArray(labels) && labels.every((label) => typeof label === 'string'))
  ) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The labels are not a list of strings');
  }
  if (colorProfile !== undefined && !['ignore', 'apply'].includes(colorProfile)) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The option colorProfile is not known', {
      found: colorProfile,
      expected: "'ignore' or 'apply'",
    });
  }
}

// A property that is there but undefined must not hide what the file says.
function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
