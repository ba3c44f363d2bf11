import { fileFormatOf, isReadBy } from '../image/file-format.js';
import { loadSharp, type Sharp } from '../image/sharp.js';
import { ownedSource } from '../image/source.js';
import { GhostNetError } from '../errors.js';
import { queuesOf, type GhostNet } from '../model/ghostnet.js';
import type { NativeOutput } from '../native/addon.js';
import {
  answersOutput,
  type Answers,
  type PipelineStats,
  type Scheduler,
  type Want,
} from '../pipeline/index.js';
import { timedOut } from '../pipeline/faults.js';
import { Tensor } from '../tensor.js';
import { badRequest, notReady } from './faults.js';
import type { QueueOptions, ServedModel } from './options.js';
import type { ModelHistory } from './protocol/metadata.js';

/** What is computed for the images of a request. */
export interface Wish {
  readonly wants: readonly Want[];
  /** Of the best classes. */
  readonly topK?: number;
  /** Fires when nobody waits for it any longer. */
  readonly signal: AbortSignal;
}

/** A model behind a server: loaded, warmed up, and with its one queue. */
export class Serving implements ModelHistory {
  readonly name: string;
  readonly version: string;
  /** When it is warm. Rejects if it cannot be loaded. */
  readonly whenReady: Promise<void>;
  readonly #options: QueueOptions;
  #model: GhostNet | undefined;
  #queue: Scheduler<Answers> | undefined;
  #failure: unknown;
  #isWarm = false;
  #isClosed = false;
  #lastInferenceAt = 0;
  #failedMs = 0;
  /** Images of tensors that are waiting or being computed. */
  #tensors = 0;

  constructor({ name, version, model, pipeline }: Required<ServedModel>) {
    this.name = name;
    this.version = version;
    this.#options = pipeline;
    this.whenReady = this.#start(model);
    // It is told to each request, too.
    this.whenReady.catch((error: unknown) => (this.#failure = error));
  }

  async #start(given: GhostNet | Promise<GhostNet>): Promise<void> {
    const model = await given;
    if (this.#isClosed) throw notReady(`The server ended before the model ${this.name} was loaded`);
    const queues = queuesOf(model);
    const queue = queues.open(this, queues.settings({ ...this.#options, output: 'embed' }), answersOutput);
    await warm(model, Math.min(16, this.#options.maxBatch ?? 16));
    this.#model = model;
    this.#queue = queue;
    this.#isWarm = true;
  }

  get isReady(): boolean {
    return this.#isWarm && this.#queue?.isOver === false;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_NOT_READY` */
  get model(): GhostNet {
    return this.#ready().model;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_NOT_READY` */
  #ready(): { readonly model: GhostNet; readonly queue: Scheduler<Answers> } {
    const [model, queue] = [this.#model, this.#queue];
    if (model !== undefined && queue !== undefined && this.isReady) return { model, queue };
    if (this.#failure === undefined) throw notReady(`The model ${this.name} is not loaded yet`);
    throw notReady(`The model ${this.name} could not be loaded`);
  }

  /** For metrics. @throws {@link GhostNetError} `GHOSTNET_NOT_READY` */
  stats(): PipelineStats {
    if (this.#queue !== undefined) return this.#queue.stats();
    throw notReady(`The model ${this.name} is not loaded yet`);
  }

  /**
   * Computes images: the content of their files, which belongs to it. They take the turn of their request together.
   *
   * @throws {@link GhostNetError} as {@link Pipeline.run}
   */
  images(files: readonly Uint8Array[], { wants, topK, signal }: Wish): Promise<Answers>[] {
    const { model, queue } = this.#ready();
    if (wants.some((want) => want !== 'features') && model.info.numClasses === 0)
      throw new GhostNetError('GHOSTNET_NO_CLASSIFIER', `The network ${this.name} has no classifier`);
    const caller = {};
    return files.map(async (file, index) => {
      const name = files.length === 1 ? undefined : `${index + 1} of ${files.length}`;
      try {
        return await this.#timed(() =>
          queue.submit(ownedSource(file, name), { wants, topK, signal, caller }),
        );
      } catch (error) {
        throw asMediaType(error, file);
      }
    });
  }

  /**
   * Computes a tensor, which belongs to it.
   *
   * @throws {@link GhostNetError} as {@link GhostNet.forward}, `GHOSTNET_QUEUE_FULL`, `GHOSTNET_TIMEOUT`
   */
  async tensor(
    input: Tensor,
    wants: readonly NativeOutput[],
    signal: AbortSignal,
  ): Promise<Partial<Record<NativeOutput, Float32Array>>> {
    try {
      const { model, queue } = this.#ready();
      const images = input.shape[0] ?? 0;
      return await this.#timed(() => queue.observe(images, () => this.#run(model, input, wants, signal)));
    } finally {
      input.dispose();
    }
  }

  async #run(
    model: GhostNet,
    input: Tensor,
    wants: readonly NativeOutput[],
    signal: AbortSignal,
  ): Promise<Partial<Record<NativeOutput, Float32Array>>> {
    const images = input.shape[0] ?? 0;
    const { timeoutMs } = this.#options;
    if (this.#tensors > 0 && this.#tensors + images > this.mostImages) {
      throw new GhostNetError('GHOSTNET_QUEUE_FULL', 'Too many tensors wait', {
        found: `${this.#tensors} images`,
        expected: `at most ${this.mostImages}, the option maxQueue`,
      });
    }
    const limit =
      timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    this.#tensors += images;
    try {
      const found: Partial<Record<NativeOutput, Float32Array>> = {};
      for (const output of wants) {
        const given = input as Tensor<'float32', readonly [number, 3, number, number]>;
        const result = await (output === 'logits'
          ? model.forward(given, { signal: limit })
          : model.embed(given, { signal: limit }));
        found[output] = Float32Array.from(result.data);
        result.dispose();
      }
      return found;
    } catch (error) {
      throw limit.aborted && !signal.aborted ? timedOut(timeoutMs) : error;
    } finally {
      this.#tensors -= images;
    }
  }

  /** Notes when a result is there, and how long a failure took. */
  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      const result = await work();
      this.#lastInferenceAt = Date.now();
      return result;
    } catch (error) {
      this.#failedMs += performance.now() - start;
      throw error;
    }
  }

  get lastInferenceAt(): number {
    return this.#lastInferenceAt;
  }

  get failedMs(): number {
    return this.#failedMs;
  }

  /** The most images of a request: as many as the queue takes. */
  get mostImages(): number {
    return this.#options.maxQueue ?? 256;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST` */
  checkCount(images: number): void {
    if (images >= 1 && images <= this.mostImages) return;
    throw badRequest('The request has the wrong number of images', {
      found: String(images),
      expected: `1 to ${this.mostImages}, the option maxQueue of the server`,
    });
  }

  /** Takes no more, and resolves when all that was taken has settled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#queue?.close();
  }

  /** Rejects what still waits. */
  async destroy(): Promise<void> {
    this.#isClosed = true;
    await this.#queue?.destroy(new Error('The server ends'));
  }
}

/** Runs a model in a small and a large batch, so that the first requests need not wait for what is made once. */
async function warm(model: GhostNet, batch: number): Promise<void> {
  const { inputSize: side, numClasses } = model.info;
  for (const images of [1, batch]) {
    const input = Tensor.empty('uint8', [images, side, side, 3]);
    const result = await (numClasses > 0 ? model.forward(input) : model.embed(input));
    result.dispose();
    input.dispose();
  }
}

/** The error of an image, with another code if it is in no format that is read: 415, not 422. */
function asMediaType(error: unknown, file: Uint8Array): unknown {
  if (!(error instanceof GhostNetError) || error.code !== 'GHOSTNET_IMAGE_UNDECODABLE') return error;
  const format = fileFormatOf(file);
  const formats = formatsOfSharp();
  if (formats === undefined || (format?.kind === 'picture' && isReadBy(formats, format))) return error;
  const { what, found, expected } = error;
  // The option for documents is not the client's.
  const remedy = format?.kind === 'document' ? 'Convert it to PNG.' : error.remedy;
  return new GhostNetError('GHOSTNET_MEDIA_TYPE', what, { found, expected, remedy, cause: error });
}

function formatsOfSharp(): Sharp['format'] | undefined {
  try {
    return loadSharp().format;
  } catch {
    return undefined;
  }
}
