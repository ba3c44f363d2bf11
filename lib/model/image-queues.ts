import { checkNumber, reading } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import type { ImageInput } from '../image/input.js';
import type { DecodeSettings } from '../image/options.js';
import type { NativeModel } from '../native/addon.js';
import { throwIfAborted } from '../native/jobs.js';
import { native } from '../native/load.js';
import {
  decodersFor,
  pipelineSettings,
  Scheduler,
  settleEach,
  type ClassifyOptions,
  type Output,
  type PipelineModel,
  type PipelineOptions,
  type PipelineSettings,
} from '../pipeline/index.js';
import { checkedList } from './images.js';
import type { ModelInfo } from './model-info.js';

/** The error of whatever is called after dispose(). */
export function disposed(): GhostNetError {
  return new GhostNetError('GHOSTNET_DISPOSED', 'The model was used after dispose()');
}

/** The queues of a model: those of its pipelines, and those that calls for images share. */
export class ImageQueues {
  readonly #owner: object;
  readonly #model: PipelineModel;
  readonly #numClasses: number;
  readonly #decode: DecodeSettings;
  /** Those that may have work. */
  readonly #open = new Set<Pick<Scheduler<never>, 'close' | 'isIdle'>>();
  /** Those of the calls for images, by output and batch. */
  readonly #shared = new Map<string, unknown>();

  /** @param owner - of the shared queues, in events */
  constructor(
    owner: object,
    model: NativeModel,
    info: ModelInfo,
    decode: DecodeSettings,
    isDisposed: () => boolean,
  ) {
    this.#owner = owner;
    this.#model = {
      native: model,
      isDisposed,
      labels: info.labels,
      threads: info.threads,
      decoders: decodersFor(info.threads, native().runtime().defaultThreads),
    };
    this.#numClasses = info.numClasses;
    this.#decode = decode;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
  settings(options: PipelineOptions): PipelineSettings {
    return pipelineSettings(options, this.#numClasses, this.#decode);
  }

  /** A queue of its own for `owner`, which is kept until it is closed. */
  open<R>(owner: object, settings: PipelineSettings, output: Output<R>): Scheduler<R> {
    const scheduler = new Scheduler(owner, this.#model, settings, output, () => this.#open.delete(scheduler));
    this.#open.add(scheduler);
    return scheduler;
  }

  /**
   * The results of one image or of a list, through a queue that all such calls share.
   *
   * @param options - a copy of those of the caller
   * @throws {@link GhostNetError} the error of the first image that fails
   */
  async each<R>(
    name: string,
    output: Output<R>,
    images: ImageInput | readonly ImageInput[],
    options: ClassifyOptions,
  ): Promise<R[]> {
    throwIfAborted(options);
    const { batchSize = 16, topK, ...streaming } = options;
    checkNumber('batchSize', batchSize, 1, 1024);
    if (this.#model.isDisposed()) throw disposed();
    const list = reading(() => checkedList(images));
    const scheduler = this.#sharedOf(name, output, batchSize);
    const results: R[] = [];
    for await (const { result, error } of settleEach(scheduler, list, streaming, topK)) {
      if (error !== undefined) throw error;
      results.push(result);
    }
    return results;
  }

  #sharedOf<R>(name: string, output: Output<R>, maxBatch: number): Scheduler<R> {
    const key = `${name} ${maxBatch}`;
    let scheduler = this.#shared.get(key) as Scheduler<R> | undefined;
    if (scheduler === undefined) {
      scheduler = this.open(this.#owner, this.settings({ maxBatch }), output);
      this.#shared.set(key, scheduler);
    }
    return scheduler;
  }

  /** Closes all queues. @returns when the images that were taken are done; undefined if there are none */
  close(): Promise<unknown> | undefined {
    const isBusy = [...this.#open].some(({ isIdle }) => !isIdle);
    const finished = [...this.#open].map((scheduler) => scheduler.close(disposed()));
    return isBusy ? Promise.all(finished) : undefined;
  }
}
