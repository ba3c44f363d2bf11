import {
  checkChoice,
  checkFlag,
  checkNumber,
  copyOf,
  invalidArgument,
  optionsOf,
  reading,
  wrongThis,
} from '../check/option.js';
import { savedDTypes } from '../checkpoint/index.js';
import { pathOf } from '../files.js';
import { fingerprintOf } from '../fingerprint.js';
import type { ImageInput } from '../image/input.js';
import { decodeSettings } from '../image/options.js';
import type { NativeModel } from '../native/addon.js';
import { placementFor, type Placement } from '../native/device.js';
import { runJob, runKeys, type RunOptions } from '../native/jobs.js';
import { native } from '../native/load.js';
import {
  batchKeys,
  classifyKeys,
  classifyOutput,
  embedOutput,
  inputOutput,
  Pipeline,
  pipelineOf,
  type BatchOptions,
  type ClassifyOptions,
  type ClassScore,
  type PipelineOptions,
} from '../pipeline/index.js';
import { handleOf, Tensor, tensorOf, type DType, type Shape } from '../tensor.js';
import type { TrainMetrics } from '../training/metrics.js';
import { train, type TrainingImages } from '../training/train.js';
import { disposed, ImageQueues } from './image-queues.js';
import { isPixels } from './images.js';
import { loadWeights, type LoadedWeights } from './load-weights.js';
import { infoOf, requireClassifier, type ModelInfo } from './model-info.js';
import type { BatchOf, NetworkInput } from './network-input.js';
import {
  createOptions,
  loadOptions,
  stateKeys,
  type CreateOptions,
  type LoadOptions,
  type StateOptions,
} from './options.js';
import { saveKeys, saveWeights, type SaveOptions } from './save-weights.js';
import { embeddedModel, type WeightsSource } from './source.js';
import { layerTable } from './summary.js';
import { checkedTraining, nameOf, trainedNetwork, type TrainOptions } from './train.js';

/** The constructor's first argument, which no other code has. */
const key = Symbol('GhostNet');

/** The result of {@link GhostNet.train}. */
export interface TrainResult {
  /** The network with the new classifier; `info.training` has the record that `save()` writes. */
  readonly model: GhostNet;
  readonly metrics: TrainMetrics;
  /** A page of HTML, if the option `report` asked for it. */
  readonly report: string | undefined;
}

/** The queues of a model. For the rest of the package: index.ts does not export it. */
export let queuesOf: (model: GhostNet) => ImageQueues;

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
  readonly #queues: ImageQueues;
  #isDisposed = false;
  /** A description of this model: variant, sizes, transform, labels. */
  readonly info: ModelInfo;

  static {
    queuesOf = (model) => {
      GhostNet.#checked(model).#usable();
      return model.#queues;
    };
  }

  private constructor(
    given: symbol,
    model: NativeModel,
    options: LoadedWeights['options'],
    placement: Placement,
  ) {
    if (given !== key) {
      throw invalidArgument(
        'A GhostNet cannot be created with new',
        given,
        'GhostNet.load() or GhostNet.create()',
      );
    }
    this.#model = model;
    this.info = infoOf(model.describe(), options, placement);
    this.#queues = new ImageQueues(this, model, this.info, decodeSettings(options), () => this.#isDisposed);
  }

  /**
   * Loads weights from a file, a folder or bytes. The shapes determine variant, width and number of classes; transform and labels
   * come from the options, else from the metadata of the file if this package saved it, else from the `config.json` of timm.
   *
   * @param source - the name of pulled weights (`'ghostnet_100'`), or the path, `file:` URL or content of a weights file,
   * or the path of a folder that timm or Hugging Face wrote. Default: the model that ships with the package
   * @throws {@link GhostNetError} `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_NOT_PULLED`,
   * `GHOSTNET_FILE_TOO_LARGE`, `GHOSTNET_UNKNOWN_FORMAT`, `GHOSTNET_UNSUPPORTED_FORMAT`,
   * `GHOSTNET_MALFORMED_FILE`, `GHOSTNET_PARAMETERS_MISMATCH`, `GHOSTNET_WEIGHTS_NOT_FINITE`, `GHOSTNET_INVALID_ARGUMENT`,
   * `GHOSTNET_OUT_OF_MEMORY`, `GHOSTNET_UNSUPPORTED_PRECISION`, `GHOSTNET_ABORTED`; with a GPU `GHOSTNET_CUDA_NOT_INSTALLED`, `GHOSTNET_CUDA_UNAVAILABLE`, `GHOSTNET_CUDA_UNSUPPORTED`, `GHOSTNET_CUDA_FAILED`,
   * `GHOSTNET_OUT_OF_MEMORY`
   */
  static async load(source?: WeightsSource, options?: LoadOptions): Promise<GhostNet>;
  /** Loads the model that ships with the package. */
  static async load(options: LoadOptions): Promise<GhostNet>;
  static async load(
    first: WeightsSource | LoadOptions = embeddedModel,
    second?: LoadOptions,
  ): Promise<GhostNet> {
    const isAlone = second === undefined && reading(() => isOptions(first));
    const [source, given = {}] = isAlone ? [embeddedModel, first] : [first as WeightsSource, second];
    const options = loadOptions(given as LoadOptions);
    const placement = placementFor(options.device);
    const loaded = await loadWeights(source, options, placement.gpu);
    return GhostNet.#of(loaded.model, loaded.options, placement);
  }

  /**
   * Creates a network with new weights, initialised as PyTorch does.
   *
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_UNSUPPORTED_PRECISION`, `GHOSTNET_ABORTED`; with a GPU
   * as {@link GhostNet.load}
   */
  static async create(given: CreateOptions = {}): Promise<GhostNet> {
    const options = createOptions(given);
    const placement = placementFor(options.device);
    const model = await runJob(options, (ticket) =>
      native().createModel(ticket, { ...options, gpu: placement.gpu }),
    );
    return GhostNet.#of(model, options, placement);
  }

  /**
   * Trains a classifier of classes of your own: by default a probe, a new classifier over the embeddings of a network that stays as
   * it is, which takes one pass over the images and a few seconds. Whatever is wrong with the images is told before any of them is
   * learned. The same images, seed and options give the same weights, bit by bit, on one machine. See `docs/training.md`.
   *
   * @param images - the path of a folder with a folder for each class, or labelled images, which are read once
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` for wrong options, and for fewer than two classes with images;
   * `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE` for the folder; `GHOSTNET_IMAGE_UNDECODABLE` for broken images with
   * `broken: 'refuse'`; `GHOSTNET_FILE_UNWRITABLE` if labelled images that are no files find no place on disk; `GHOSTNET_ABORTED`,
   * `GHOSTNET_OUT_OF_MEMORY`; and what {@link GhostNet.load} throws for `from`
   */
  static async train(images: TrainingImages, given: TrainOptions = {}): Promise<TrainResult> {
    const { from, load, settings } = checkedTraining(given);
    const isNetwork = reading(() => typeof from === 'object' && 'stateDict' in from);
    const source = isNetwork ? GhostNet.#checked(from) : await GhostNet.load(from as WeightsSource, load);
    try {
      const name = isNetwork ? source.info.variant : nameOf(from as WeightsSource);
      const fingerprint = (): Promise<string> => fingerprintOf(source);
      const trained = await train({ network: source, from: name, fingerprint, settings }, images);
      try {
        const { model, options, placement } = await trainedNetwork(trained, source, settings.signal);
        const { metrics, report } = trained;
        return { model: GhostNet.#of(model, options, placement), metrics, report };
      } finally {
        for (const tensor of trained.state.values()) tensor.dispose();
      }
    } finally {
      if (!isNetwork) source.dispose();
    }
  }

  static #of(model: NativeModel, options: LoadedWeights['options'], placement: Placement): GhostNet {
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
   * W of at least `info.leastSide`, not necessarily equal
   * @returns float32 [N,numClasses]
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`,
   * `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_OUT_OF_MEMORY`, `GHOSTNET_NO_CLASSIFIER`
   */
  async forward<D extends DType, S extends Shape>(
    input: NetworkInput<D, S>,
    given: RunOptions = {},
  ): Promise<Tensor<'float32', readonly [BatchOf<S>, number]>> {
    const model = GhostNet.#checked(this);
    const options = optionsOf(given, runKeys);
    requireClassifier(model.info);
    return model.#run(input, 'logits', options);
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
    given: BatchOptions = {},
  ): Promise<Tensor<'float32', readonly [number, 1280]>> {
    const model = GhostNet.#checked(this);
    const options = optionsOf(given, batchKeys);
    const isInput = reading(() => (input as unknown) instanceof Tensor && !isPixels(input as Tensor));
    if (isInput) return model.#run(input, 'features', options);
    const rows = await model.#queues.each(
      'embed',
      embedOutput,
      input as ImageInput | readonly ImageInput[],
      options,
    );
    const values = new Float32Array(rows.length * model.info.features);
    for (const [row, features] of rows.entries()) values.set(features, row * model.info.features);
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

  static #checked(value: unknown): GhostNet {
    if (typeof value === 'object' && value !== null && #model in value) return value;
    throw wrongThis('GhostNet', value);
  }

  #usable(): NativeModel {
    if (this.#isDisposed) throw disposed();
    return this.#model;
  }

  /**
   * Finds the best classes of an image, or of each image in a list. Scores are the softmax over all classes, best first.
   *
   * @param images - one image, or a list of images, for which the result is a list per image
   * @throws {@link GhostNetError} `GHOSTNET_IMAGE_UNDECODABLE`, `GHOSTNET_IMAGE_TOO_LARGE`, `GHOSTNET_TIMEOUT`,
   * `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`, `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_INVALID_ARGUMENT`,
   * `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`, `GHOSTNET_OUT_OF_MEMORY`, `GHOSTNET_OUT_OF_THREADS`, `GHOSTNET_NO_CLASSIFIER`,
   * `GHOSTNET_RESULT_NOT_FINITE` if the scores are NaN; in a list, the error of the first image that fails
   */
  async classify(images: readonly ImageInput[], options?: ClassifyOptions): Promise<ClassScore[][]>;
  async classify(image: ImageInput, options?: ClassifyOptions): Promise<ClassScore[]>;
  async classify(
    images: ImageInput | readonly ImageInput[],
    given: ClassifyOptions = {},
  ): Promise<ClassScore[] | ClassScore[][]> {
    const model = GhostNet.#checked(this);
    const options = optionsOf(given, classifyKeys);
    requireClassifier(model.info);
    checkNumber('topK', options.topK, 1, model.info.numClasses);
    const isList = reading(() => Array.isArray(images));
    const results = await model.#queues.each('classify', classifyOutput, images, options);
    return isList ? results : (results[0] ?? []);
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
    options?: BatchOptions,
  ): Promise<Tensor<'uint8', readonly [number, number, number, 3]>>;
  async preprocess(
    image: ImageInput,
    options?: BatchOptions,
  ): Promise<Tensor<'uint8', readonly [1, number, number, 3]>>;
  async preprocess(
    images: ImageInput | readonly ImageInput[],
    given: BatchOptions = {},
  ): Promise<Tensor<'uint8', readonly [number, number, number, 3]>> {
    const model = GhostNet.#checked(this);
    const options = optionsOf(given, batchKeys);
    const inputs = await model.#queues.each('input', inputOutput, images, options);
    const side = model.info.inputSize;
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
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_NO_CLASSIFIER` unless it embeds
   */
  pipeline(options: PipelineOptions & { readonly output: 'embed' }): Pipeline<Float32Array>;
  pipeline(options?: PipelineOptions & { readonly output?: 'classify' }): Pipeline<ClassScore[]>;
  pipeline(options: PipelineOptions): Pipeline<Float32Array> | Pipeline<ClassScore[]>;
  pipeline(options: PipelineOptions = {}): Pipeline<Float32Array> | Pipeline<ClassScore[]> {
    const model = GhostNet.#checked(this);
    model.#usable();
    const settings = model.#queues.settings(options);
    if (settings.output === 'embed')
      return pipelineOf((owner) => model.#queues.open(owner, settings, embedOutput));
    requireClassifier(model.info);
    return pipelineOf((owner) => model.#queues.open(owner, settings, classifyOutput));
  }

  /**
   * Returns the layer table of the network: name, type, output shape, parameters and multiply-adds of each layer, and the
   * totals.
   *
   * @param size - height and width of the input in pixels. Default: the input size of the model
   * @throws {@link GhostNetError} `GHOSTNET_BAD_SHAPE`, `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`
   */
  summary(size?: { height: number; width: number }): string {
    const model = GhostNet.#checked(this);
    const { inputSize } = model.info;
    const { height, width } =
      size === undefined ? { height: inputSize, width: inputSize } : copyOf('size', size);
    const layers = reading(() => model.#usable().layers(height, width));
    return layerTable(model.info, layers, { height, width });
  }

  /**
   * Returns copies of all parameters and buffers under the names of the official checkpoints: float32, counters int64.
   *
   * @param given - `deploy` folds the branches of a GhostNetV3; other networks have none
   * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
   */
  async stateDict(given: StateOptions = {}): Promise<Map<string, Tensor<'float32' | 'int64'>>> {
    const model = GhostNet.#checked(this).#usable();
    const options = optionsOf(given, stateKeys);
    checkFlag('deploy', options.deploy);
    const form = options.deploy === true ? 'deployed' : 'own';
    const arrays = await runJob(options, (ticket) => model.state(ticket, form));
    return new Map(arrays.map(([name, handle]) => [name, tensorOf(handle)]));
  }

  /**
   * Writes weights, labels and transform to a safetensors file that {@link GhostNet.load} and PyTorch can read. Equal models
   * produce equal bytes. The file appears whole or not at all. A symbolic link is followed, an existing file keeps its mode and
   * owner, and anything but a regular file stays as it is.
   *
   * @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`, `GHOSTNET_INVALID_ARGUMENT`, also for weights that are too large for the
   * dtype, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
   */
  async save(path: string | URL, given: SaveOptions = {}): Promise<void> {
    const model = GhostNet.#checked(this);
    const file = reading(() => pathOf(path));
    const { dtype, ...ofState } = optionsOf(given, saveKeys);
    checkChoice('dtype', dtype, savedDTypes);
    const state = await model.stateDict(ofState);
    try {
      await saveWeights(file, state, model.info, { ...ofState, dtype });
    } finally {
      for (const tensor of state.values()) tensor.dispose();
    }
  }

  /** Frees the weights. Pending calls still succeed, later calls fail. A second call does nothing. */
  dispose(): void {
    const model = GhostNet.#checked(this);
    if (model.#isDisposed) return;
    model.#isDisposed = true;
    // Images that were taken still need the weights.
    const busy = model.#queues.close();
    if (busy === undefined) model.#model.dispose();
    else
      void busy.then(() => {
        model.#model.dispose();
      });
  }

  /** As {@link GhostNet.dispose}, for `using`. */
  [Symbol.dispose](): void {
    GhostNet.#checked(this).dispose();
  }
}

/** Whether the only argument of load() is its options: a plain object, not a value that could be meant as weights. */
function isOptions(value: WeightsSource | LoadOptions): value is LoadOptions {
  return Object.prototype.toString.call(value) === '[object Object]';
}
