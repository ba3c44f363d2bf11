import { checkNumber, checkObject, invalidArgument } from '../check/option.js';
import { writeSafetensors } from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import { writeBytes } from '../files.js';
import type { ImageInput } from '../image/input.js';
import { decodeSettings, type DecodeSettings } from '../image/options.js';
import { sourceOf } from '../image/source.js';
import type { NativeModel } from '../native/addon.js';
import { placementFor, type Placement } from '../native/device.js';
import { runJob, throwIfAborted, type RunOptions } from '../native/jobs.js';
import { native } from '../native/load.js';
import {
  classifyOutput,
  embedOutput,
  inputOutput,
  Pipeline,
  pipelineOf,
  pipelineSettings,
  Scheduler,
  settleEach,
  type BatchOptions,
  type ClassifyOptions,
  type ClassScore,
  type Output,
  type PipelineModel,
  type PipelineOptions,
  type PipelineSettings,
} from '../pipeline/index.js';
import { handleOf, Tensor, tensorOf, type DType, type Shape } from '../tensor.js';
import { writeMetadata } from './metadata.js';
import { infoOf, type ModelInfo } from './model-info.js';
import type { BatchOf, NetworkInput } from './network-input.js';
import {
  checkCreateOptions,
  checkModelOptions,
  givenOf,
  type CreateOptions,
  type LoadOptions,
  type ModelOptions,
} from './options.js';
import { embeddedModel, openWeights, type WeightsSource } from './source.js';
import { layerTable } from './summary.js';

/** The constructor's first argument, which no other code has. */
const key = Symbol('GhostNet');

/**
 * A GhostNet (arXiv 1911.11907) with weights. Every call that computes returns a promise. The calls run one after another on
 * a separate thread, in the order in which they were made; the event loop stays free.
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
  readonly #decode: DecodeSettings;
  /** The queues of this model that may have work. */
  readonly #schedulers = new Set<Pick<Scheduler<never>, 'close' | 'isIdle'>>();
  /** Those of the calls for images, by output and batch. */
  readonly #shared = new Map<string, unknown>();
  #isDisposed = false;
  /** A description of this model: variant, sizes, transform, labels. */
  readonly info: ModelInfo;

  private constructor(given: symbol, model: NativeModel, options: ModelOptions, placement: Placement) {
    if (given !== key) {
      throw invalidArgument(
        'A GhostNet cannot be created with new',
        given,
        'GhostNet.load() or GhostNet.create()',
      );
    }
    this.#model = model;
    this.#decode = decodeSettings(options);
    this.info = infoOf(model.describe(), options, placement);
  }

  /**
   * Loads weights from a file or from bytes. The shapes determine variant, width and number of classes; transform and labels
   * come from the options, else from the metadata of the file if this package saved it.
   *
   * @param source - the name of pulled weights (`'ghostnet_100'`), or the path, `file:` URL or content of a weights file.
   * Default: the model that ships with the package
   * @throws {@link GhostNetError} `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_NOT_PULLED`,
   * `GHOSTNET_UNSUPPORTED_MODEL`, `GHOSTNET_UNKNOWN_FORMAT`, `GHOSTNET_UNSUPPORTED_FORMAT`, `GHOSTNET_MALFORMED_FILE`,
   * `GHOSTNET_PARAMETERS_MISMATCH`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_UNSUPPORTED_PRECISION`, `GHOSTNET_ABORTED`; with
   * a GPU `GHOSTNET_CUDA_NOT_INSTALLED`, `GHOSTNET_CUDA_UNAVAILABLE`, `GHOSTNET_CUDA_UNSUPPORTED`, `GHOSTNET_CUDA_FAILED`,
   * `GHOSTNET_OUT_OF_MEMORY`
   */
  static async load(source?: WeightsSource, options?: LoadOptions): Promise<GhostNet>;
  /** Loads the model that ships with the package. */
  static async load(options: LoadOptions): Promise<GhostNet>;
  static async load(
    first: WeightsSource | LoadOptions = embeddedModel,
    second?: LoadOptions,
  ): Promise<GhostNet> {
    const [source, options = {}] =
      second === undefined && isOptions(first) ? [embeddedModel, first] : [first as WeightsSource, second];
    checkModelOptions(options);
    const placement = placementFor(options.device);
    const { arrays, metadata } = await openWeights(source, options.weights);
    const merged = { ...metadata, ...givenOf(options) } as ModelOptions;
    const model = await runJob(options, (ticket) =>
      native().loadModel(ticket, arrays, { ...merged, gpu: placement.gpu }),
    );
    return GhostNet.#of(model, merged, placement);
  }

  /**
   * Creates a network with new weights, initialised as PyTorch does.
   *
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_UNSUPPORTED_PRECISION`, `GHOSTNET_ABORTED`; with a GPU
   * as {@link GhostNet.load}
   */
  static async create(options: CreateOptions = {}): Promise<GhostNet> {
    checkCreateOptions(options);
    const placement = placementFor(options.device);
    const model = await runJob(options, (ticket) =>
      native().createModel(ticket, { ...options, gpu: placement.gpu }),
    );
    return GhostNet.#of(model, options, placement);
  }

  static #of(model: NativeModel, options: ModelOptions, placement: Placement): GhostNet {
    try {
      return new GhostNet(key, model, options, placement);
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /**
   * Computes the logits of a batch.
   *
   * @param input - float32 [N,3,H,W], already normalised, or uint8 [N,H,W,3], RGB, which is scaled and normalised here; H and
   * W of at least 32, not necessarily equal
   * @returns float32 [N,numClasses]
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`,
   * `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_OUT_OF_MEMORY`
   */
  async forward<D extends DType, S extends Shape>(
    input: NetworkInput<D, S>,
    options: RunOptions = {},
  ): Promise<Tensor<'float32', readonly [BatchOf<S>, number]>> {
    return this.#run(input, 'logits', options);
  }

  /**
   * Computes the embeddings of a batch of inputs, or of images: the input of the classifier, for search and de-duplication.
   *
   * @param input - as for {@link GhostNet.forward}
   * @returns float32 [N,1280], each value at least 0; N is 1 for one image
   * @throws {@link GhostNetError} as {@link GhostNet.forward}; for images as {@link GhostNet.classify}
   */
  async embed<D extends DType, S extends Shape>(
    input: NetworkInput<D, S>,
    options?: RunOptions,
  ): Promise<Tensor<'float32', readonly [BatchOf<S>, 1280]>>;
  /** @param images - one image, or a list of images */
  async embed(
    images: ImageInput | readonly ImageInput[],
    options?: BatchOptions,
  ): Promise<Tensor<'float32', readonly [number, 1280]>>;
  async embed(
    input: Tensor | ImageInput | readonly ImageInput[],
    options: BatchOptions = {},
  ): Promise<Tensor<'float32', readonly [number, 1280]>> {
    const isInput = (input as unknown) instanceof Tensor && !isPixels(input as Tensor);
    if (isInput) return this.#run(input, 'features', options);
    const rows = await this.#each('embed', embedOutput, input as ImageInput | readonly ImageInput[], options);
    const values = new Float32Array(rows.length * this.info.features);
    for (const [row, features] of rows.entries()) values.set(features, row * this.info.features);
    return Tensor.from(values, [rows.length, 1280]);
  }

  async #run<S extends Shape>(
    input: unknown,
    output: 'logits' | 'features',
    options: RunOptions,
  ): Promise<Tensor<'float32', S>> {
    const handle = handleOf(input, 'The input');
    const model = this.#usable();
    return tensorOf(await runJob(options, (ticket) => model.run(ticket, handle, output, this.info.threads)));
  }

  #usable(): NativeModel {
    if (this.#isDisposed) throw disposed();
    return this.#model;
  }

  /**
   * Finds the best classes of an image, or of each image in a list. Scores are the softmax over all classes, best first.
   *
   * @param images - one image, or a list of images, for which the result is a list per image
   * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`,
   * `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`; in a
   * list, the error of the first image that fails
   */
  async classify(images: readonly ImageInput[], options?: ClassifyOptions): Promise<ClassScore[][]>;
  async classify(image: ImageInput, options?: ClassifyOptions): Promise<ClassScore[]>;
  async classify(
    images: ImageInput | readonly ImageInput[],
    options: ClassifyOptions = {},
  ): Promise<ClassScore[] | ClassScore[][]> {
    checkObject('options', options);
    checkNumber('topK', options.topK, 1, this.info.numClasses);
    const results = await this.#each('classify', classifyOutput, images, options);
    return Array.isArray(images) ? results : (results[0] ?? []);
  }

  /**
   * Decodes, resizes and crops images to the input of {@link GhostNet.forward} and {@link GhostNet.embed}.
   *
   * @param images - one image, or a list of images
   * @returns uint8 [N,inputSize,inputSize,3], RGB; N is 1 for one image
   * @throws {@link GhostNetError} as {@link GhostNet.classify}
   */
  async preprocess(
    images: readonly ImageInput[],
    options?: RunOptions,
  ): Promise<Tensor<'uint8', readonly [number, number, number, 3]>>;
  async preprocess(
    image: ImageInput,
    options?: RunOptions,
  ): Promise<Tensor<'uint8', readonly [1, number, number, 3]>>;
  async preprocess(
    images: ImageInput | readonly ImageInput[],
    options: RunOptions = {},
  ): Promise<Tensor<'uint8', readonly [number, number, number, 3]>> {
    const inputs = await this.#each('input', inputOutput, images, options);
    const side = this.info.inputSize;
    const batch = new (native().NativeTensor)('uint8', [inputs.length, side, side, 3]);
    const bytes = new Uint8Array(batch.buffer);
    for (const [position, input] of inputs.entries()) {
      bytes.set(new Uint8Array(input.buffer), position * side * side * 3);
      input.dispose();
    }
    return tensorOf(batch);
  }

  /**
   * Creates one queue for many callers, for a server, a worker or a large collection: it decodes images, computes them in batches,
   * and bounds memory, waiting time and threads. See `docs/pipelines.md`.
   *
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`
   */
  pipeline(options: PipelineOptions & { readonly output: 'embed' }): Pipeline<Float32Array>;
  pipeline(options?: PipelineOptions & { readonly output?: 'classify' }): Pipeline<ClassScore[]>;
  pipeline(options: PipelineOptions = {}): Pipeline<Float32Array> | Pipeline<ClassScore[]> {
    this.#usable();
    const settings = pipelineSettings(options, this.info.numClasses, this.#decode);
    return options.output === 'embed'
      ? pipelineOf((owner) => this.#scheduler(owner, settings, embedOutput))
      : pipelineOf((owner) => this.#scheduler(owner, settings, classifyOutput));
  }

  #scheduler<R>(owner: object, settings: PipelineSettings, output: Output<R>): Scheduler<R> {
    const model: PipelineModel = {
      native: this.#model,
      isDisposed: () => this.#isDisposed,
      labels: this.info.labels,
      threads: this.info.threads,
      decoders: decodersFor(this.info.threads, native().runtime().defaultThreads),
    };
    const scheduler = new Scheduler(owner, model, settings, output, () => this.#schedulers.delete(scheduler));
    this.#schedulers.add(scheduler);
    return scheduler;
  }

  /** The results of one image or of a list, through a queue that all such calls share. */
  async #each<R>(
    name: string,
    output: Output<R>,
    images: ImageInput | readonly ImageInput[],
    options: ClassifyOptions,
  ): Promise<R[]> {
    throwIfAborted(options);
    checkNumber('batchSize', options.batchSize, 1, 1024);
    this.#usable();
    const list = (Array.isArray(images) ? images : [images]) as readonly ImageInput[];
    for (const image of list) sourceOf(image); // a wrong argument is reported before any work
    const maxBatch = options.batchSize ?? 16;
    const key = `${name} ${maxBatch}`;
    let scheduler = this.#shared.get(key) as Scheduler<R> | undefined;
    if (scheduler === undefined) {
      const settings = pipelineSettings({ maxBatch }, this.info.numClasses, this.#decode);
      scheduler = this.#scheduler(this, settings, output);
      this.#shared.set(key, scheduler);
    }
    const results: R[] = [];
    for await (const { result, error } of settleEach(scheduler, list, options)) {
      if (error !== undefined) throw error;
      results.push(result);
    }
    return results;
  }

  /**
   * Returns the layer table of the network: name, type, output shape, parameters and multiply-adds of each layer, and the
   * totals.
   *
   * @param size - height and width of the input in pixels. Default: the input size of the model
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`
   */
  summary(
    size: { height: number; width: number } = { height: this.info.inputSize, width: this.info.inputSize },
  ): string {
    checkObject('size', size);
    return layerTable(this.info, this.#usable().layers(size.height, size.width), size);
  }

  /**
   * Returns copies of all parameters and buffers under the names of the official checkpoints: float32, counters int64.
   *
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
   */
  async stateDict(options: RunOptions = {}): Promise<Map<string, Tensor<'float32' | 'int64'>>> {
    const model = this.#usable();
    const arrays = await runJob(options, (ticket) => model.state(ticket));
    return new Map(arrays.map(([name, handle]) => [name, tensorOf(handle)]));
  }

  /**
   * Writes weights, labels and transform to a safetensors file that {@link GhostNet.load} and PyTorch can read. Equal models
   * produce equal bytes. The file appears whole or not at all.
   *
   * @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`,
   * `GHOSTNET_ABORTED`
   */
  async save(path: string | URL, options: RunOptions = {}): Promise<void> {
    const state = await this.stateDict(options);
    const arrays = [...state].map(([name, { dtype, shape, data }]) => {
      return [
        name,
        { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
      ] as const;
    });
    await writeBytes(path, writeSafetensors(arrays, writeMetadata(this.info)));
    for (const tensor of state.values()) tensor.dispose();
  }

  /** Frees the weights. Pending calls still succeed, later calls fail. A second call does nothing. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    // Images that were taken still need the weights.
    const busy = [...this.#schedulers].filter(({ isIdle }) => !isIdle);
    const finished = [...this.#schedulers].map((scheduler) => scheduler.close(disposed()));
    if (busy.length === 0) this.#model.dispose();
    else
      void Promise.all(finished).then(() => {
        this.#model.dispose();
      });
  }

  /** As {@link GhostNet.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Whether the only argument of load() is its options: a plain object, not a value that could be meant as weights. */
function isOptions(value: WeightsSource | LoadOptions): value is LoadOptions {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** Some wait in native code, so that no thread waits for JavaScript between two images; none if that would use more threads. */
function decodersFor(threads: number, processors: number): number {
  return threads < processors ? threads : processors + Math.min(processors, 4);
}

/** Whether a tensor is one image, not a batch. */
function isPixels({ dtype, shape }: Tensor): boolean {
  return dtype === 'uint8' && shape.length === 3;
}

function disposed(): GhostNetError {
  return new GhostNetError('GHOSTNET_DISPOSED', 'The model was used after dispose()');
}
