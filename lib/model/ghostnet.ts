import { checkObject, invalidArgument } from '../check/option.js';
import { writeSafetensors } from '../checkpoint/index.js';
import { writeBytes } from '../files.js';
import { decodeImage } from '../image/decode.js';
import { holdImage } from '../image/hold.js';
import type { HeldImage, ImageInput } from '../image/input.js';
import type { NativeModel } from '../native/addon.js';
import { placementFor, type Placement } from '../native/device.js';
import { runJob, throwIfAborted, type RunOptions } from '../native/jobs.js';
import { native } from '../native/load.js';
import {
  classifyAll,
  type Classifier,
  type ClassifyOptions,
  type ClassScore,
} from '../pipeline/classify-all.js';
import { handleOf, tensorOf, type DType, type Shape, type Tensor } from '../tensor.js';
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

/** The parts of a model that classifying needs. For the rest of the package: index.ts does not export it. */
export let classifierOf: (model: GhostNet) => Classifier;

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
  readonly #colorProfile: 'ignore' | 'apply';
  /** A description of this model: variant, sizes, transform, labels. */
  readonly info: ModelInfo;

  static {
    classifierOf = (model) => ({
      labels: model.info.labels,
      decode: (image) => decodeImage(image, { colorProfile: model.#colorProfile }),
      scores: (images, topK, options) =>
        runJob(options, (ticket) => model.#model.classify(ticket, images, topK, model.info.threads)),
    });
  }

  private constructor(given: symbol, model: NativeModel, options: ModelOptions, placement: Placement) {
    if (given !== key) {
      throw invalidArgument(
        'A GhostNet cannot be created with new',
        given,
        'GhostNet.load() or GhostNet.create()',
      );
    }
    this.#model = model;
    this.#colorProfile = options.colorProfile ?? 'ignore';
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
   * Computes the embeddings of a batch, the input of the classifier, for search and de-duplication.
   *
   * @param input - as for {@link GhostNet.forward}
   * @returns float32 [N,1280], each value at least 0
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
    const handle = handleOf(input, 'The input');
    return tensorOf(
      await runJob(options, (ticket) => this.#model.run(ticket, handle, output, this.info.threads)),
    );
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
    const results: ClassScore[][] = [];
    for await (const result of classifyAll(classifierOf(this), hold(images), options)) {
      if (result.error !== undefined) throw result.error;
      results.push(result.classes);
    }
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
    throwIfAborted(options);
    const decoded = await Promise.all(hold(images).map(classifierOf(this).decode));
    return tensorOf(
      await runJob(options, (ticket) => this.#model.prepare(ticket, decoded, this.info.threads)),
    );
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
    return layerTable(this.info, this.#model.layers(size.height, size.width), size);
  }

  /**
   * Returns copies of all parameters and buffers under the names of the official checkpoints: float32, counters int64.
   *
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
   */
  async stateDict(options: RunOptions = {}): Promise<Map<string, Tensor<'float32' | 'int64'>>> {
    const arrays = await runJob(options, (ticket) => this.#model.state(ticket));
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
    this.#model.dispose();
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

function hold(images: ImageInput | readonly ImageInput[]): HeldImage[] {
  return ((Array.isArray(images) ? images : [images]) as readonly ImageInput[]).map(holdImage);
}
