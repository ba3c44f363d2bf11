import { types } from 'node:util';

import { GhostNetError } from '../errors.js';
import { prepareImage } from '../image/prepare.js';
import type { ImageSource } from '../image/source.js';
import { aborted } from '../native/jobs.js';
import { Deadlines } from './deadlines.js';
import { batchChannel, imageChannel, rejectedChannel } from './events.js';
import { FairQueue } from './fair-queue.js';
import { closed, queueFull, timedOut } from './faults.js';
import { Item, type Stage, type Submission } from './item.js';
import type { PipelineSettings } from './options.js';
import type { Output, PipelineModel } from './outputs.js';
import { onAbort } from './signals.js';
import { StatsRecorder, type Outcome, type PipelineStats } from './stats.js';

/** Streams that are being read at a time. A slow one holds up no decoding, so there may be many. */
const maxOpening = 64;

/**
 * Moves images through the stages of a pipeline: waiting, decoding, ready, computing.
 *
 * An image is opened when a thread is about to be free for it. Whatever is ready when the engine is free becomes its batch; while
 * a batch is computed, the threads that it leaves decode the next images.
 */
export class Scheduler<R> {
  readonly #model: PipelineModel;
  readonly #settings: PipelineSettings;
  readonly #output: Output<R>;
  readonly #onEnd: () => void;
  /** The pipeline, for events. */
  readonly #owner: object;
  readonly #stats = new StatsRecorder();
  readonly #deadlines: Deadlines<Item<R>> | undefined;

  readonly #waiting = new FairQueue<Item<R>>();
  /** Streams that are being read, and those that have been. */
  readonly #opening = new Set<Item<R>>();
  readonly #opened = new Set<Item<R>>();
  readonly #preparing = new Set<Item<R>>();
  /** Decoders at work, also for images that have settled meanwhile. */
  #decoders = 0;
  readonly #ready = new Set<Item<R>>();
  /** Batches that the engine has been given, the first of which it computes. */
  readonly #batches = new Set<Set<Item<R>>>();
  /** Work that has begun and not ended, of images that may have settled. */
  #running = 0;
  #delay: NodeJS.Timeout | undefined;
  #closed: GhostNetError | undefined;
  readonly #idle = new Set<() => void>();
  readonly #ending = new Set<(error: GhostNetError) => void>();

  /** @param onEnd - called when it is closed and idle */
  constructor(
    owner: object,
    model: PipelineModel,
    settings: PipelineSettings,
    output: Output<R>,
    onEnd: () => void,
  ) {
    this.#owner = owner;
    this.#model = model;
    this.#settings = settings;
    this.#output = output;
    this.#onEnd = onEnd;
    if (settings.timeoutMs !== undefined) {
      this.#deadlines = new Deadlines(settings.timeoutMs, (item) => {
        this.#fail(item, 'timedOut', timedOut(settings.timeoutMs));
      });
    }
  }

  /** The most images that a stream should have in the pipeline: as many as keep it busy. */
  get lookAhead(): number {
    const { maxBatch, maxQueue } = this.#settings;
    return Math.min(maxQueue, 4 * maxBatch + 2 * this.#model.threads);
  }

  /** Whether every further image would fail for the same reason: the pipeline is closed, or the model disposed of. */
  get isOver(): boolean {
    return this.#closed !== undefined || this.#model.isDisposed();
  }

  /** Takes an image. @throws {@link GhostNetError} `GHOSTNET_CLOSED`, `GHOSTNET_QUEUE_FULL`, `GHOSTNET_ABORTED` */
  submit(source: ImageSource, submission: Submission): Promise<R> {
    try {
      return this.#accept(source, submission);
    } catch (error) {
      source.discard?.();
      throw error;
    }
  }

  #accept(source: ImageSource, submission: Submission): Promise<R> {
    const { signal, topK = this.#settings.topK, waits } = submission;
    if (this.#closed !== undefined) throw this.#closed;
    if (signal?.aborted === true) throw aborted(signal.reason);
    const { maxQueue, whenFull } = this.#settings;
    if (whenFull === 'reject' && waits !== true && this.#isFull()) {
      this.#stats.counts.rejected += 1;
      rejectedChannel.publish({ pipeline: this.#owner });
      throw queueFull(maxQueue);
    }
    const item = new Item<R>(source, topK, submission);
    this.#stats.counts.accepted += 1;
    this.#waiting.add(item.caller, item);
    this.#deadlines?.add(item);
    if (signal !== undefined) {
      item.unlisten = onAbort(signal, (reason) => {
        this.#fail(item, 'aborted', aborted(reason));
      });
    }
    this.#advance();
    return item.result;
  }

  /** Runs images beside the queue, and counts them in its statistics. */
  observe<T>(images: number, run: () => Promise<T>): Promise<T> {
    return this.#stats.observe(images, run);
  }

  stats(): PipelineStats {
    const queued = this.#queued();
    const waiting = Math.min(queued, this.#settings.maxQueue);
    const [computing] = this.#batches;
    return {
      state: this.#closed === undefined ? 'open' : this.isIdle ? 'closed' : 'closing',
      waiting,
      blocked: queued - waiting,
      decoding: this.#opening.size + this.#preparing.size,
      ready: this.#ready.size,
      computing: computing?.size ?? 0,
      ...this.#stats.snapshot(),
    };
  }

  /** Takes no more images: they fail with `error`. @returns when all have settled and nothing runs */
  async close(error = closed()): Promise<void> {
    this.#end(error);
    await this.#untilIdle();
  }

  /** Rejects all images. @returns when nothing runs */
  async destroy(reason: unknown): Promise<void> {
    this.#end(closed(reason));
    const all = [this.#waiting, this.#opening, this.#opened, this.#preparing, this.#ready, ...this.#batches];
    for (const items of all) for (const item of [...items]) this.#fail(item, 'aborted', closed(reason));
    await this.#untilIdle();
  }

  /** Calls back when the pipeline takes no more images. @returns a function that ends the listening */
  onEnding(callback: (error: GhostNetError) => void): () => void {
    this.#ending.add(callback);
    return () => this.#ending.delete(callback);
  }

  #end(error: GhostNetError): void {
    this.#closed ??= error;
    for (const callback of this.#ending) callback(this.#closed);
  }

  /** Whether nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.size === 0 && this.#ahead() === 0;
  }

  /** Images in the queue: all but the batch that is being computed. */
  #queued(): number {
    let images = this.#ahead() + this.#waiting.size;
    let first = true;
    for (const batch of this.#batches) {
      if (!first) images += batch.size;
      first = false;
    }
    return images;
  }

  /**
   * Whether the queue has no place. The batch that is being computed takes places, too, so that the last one in the queue need
   * not wait for a batch more; but never those of the two batches that keep all threads busy.
   */
  #isFull(): boolean {
    const { maxBatch, maxQueue } = this.#settings;
    const [computing] = this.#batches;
    const queued = this.#queued();
    const all = queued + (computing?.size ?? 0);
    return queued >= maxQueue || all >= Math.max(maxQueue, 2 * maxBatch + this.#model.decoders);
  }

  /** Images that have left the waiting line and are not yet given to the engine. */
  #ahead(): number {
    return this.#opening.size + this.#opened.size + this.#preparing.size + this.#ready.size;
  }

  #advance(): void {
    this.#startBatches();
    this.#startPreparing();
    if (!this.isIdle) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
    if (this.#closed !== undefined) this.#onEnd();
  }

  #untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.add(resolve);
      this.#advance();
    });
  }

  #startPreparing(): void {
    const most = this.#model.decoders;
    const mostAhead = 2 * this.#settings.maxBatch + most;
    while (this.#decoders < most) {
      const [opened] = this.#opened;
      if (opened !== undefined) {
        this.#opened.delete(opened);
        this.#start(opened, this.#prepare(opened));
        continue;
      }
      if (this.#ahead() >= mostAhead + this.#opening.size || this.#opening.size >= maxOpening) return;
      const item = this.#waiting.next();
      if (item === undefined) return;
      item.startedAt = performance.now();
      this.#start(item, item.source?.isStream === true ? this.#open(item) : this.#prepare(item));
    }
  }

  /** Counts work as running until it ends, whatever becomes of its image. */
  #start(item: Item<R>, work: Promise<void>): void {
    this.#running += 1;
    void work
      .catch((error: unknown) => {
        this.#fail(item, 'failed', error);
      })
      .finally(() => {
        this.#running -= 1;
        this.#advance();
      });
  }

  async #open(item: Item<R>): Promise<void> {
    item.stage = 'opening';
    this.#opening.add(item);
    try {
      item.opened = await item.source?.open(item.abort.signal, this.#settings.decode.maxImageBytes);
    } finally {
      this.#opening.delete(item);
    }
    if (isSettled(item)) return;
    item.stage = 'opened';
    this.#opened.add(item);
  }

  async #prepare(item: Item<R>): Promise<void> {
    const { source, abort } = item;
    if (source === undefined) return;
    const { decode } = this.#settings;
    item.stage = 'preparing';
    this.#preparing.add(item);
    this.#decoders += 1;
    try {
      // Bytes are copied before submit() returns, if their turn comes at once.
      const opened = item.opened ?? source.open(abort.signal, decode.maxImageBytes);
      const image = types.isPromise(opened) ? await opened : opened;
      if (isSettled(item)) return;
      const { native } = this.#model;
      const prepared = await prepareImage(native, source.name, image, decode, abort.signal);
      if (isSettled(item)) {
        prepared.input.dispose();
        return;
      }
      item.prepared = prepared;
      item.readyAt = performance.now();
      item.stage = 'ready';
      this.#ready.add(item);
    } finally {
      this.#decoders -= 1;
      this.#preparing.delete(item);
    }
  }

  #startBatches(): void {
    const { maxBatch, maxDelayMs } = this.#settings;
    for (;;) {
      const [oldest] = this.#ready;
      if (oldest === undefined) return;
      if (this.#ready.size < maxBatch) {
        // The engine is busy, or the batch may still fill. A second batch waits for the engine only if it is full.
        if (this.#batches.size > 0) return;
        const left = oldest.readyAt + maxDelayMs - performance.now();
        if (maxDelayMs > 0 && left > 0 && this.#closed === undefined) {
          if (this.#delay === undefined) this.#delay = setTimeout(this.#onDelay, Math.ceil(left));
          return;
        }
      } else if (this.#batches.size > 1) {
        return;
      }
      this.#startBatch();
    }
  }

  readonly #onDelay = (): void => {
    this.#delay = undefined;
    this.#advance();
  };

  #startBatch(): void {
    const batch = new Set<Item<R>>();
    for (const item of this.#ready) {
      if (batch.size === this.#settings.maxBatch) break;
      batch.add(item);
      this.#ready.delete(item);
    }
    this.#batches.add(batch);
    this.#running += 1;
    void this.#compute(batch).finally(() => {
      this.#running -= 1;
      this.#batches.delete(batch);
      this.#advance();
    });
  }

  async #compute(batch: Set<Item<R>>): Promise<void> {
    const items = [...batch];
    const start = performance.now();
    const inputs = items.flatMap(({ topK, wants, prepared }) =>
      prepared === undefined ? [] : { topK, wants, input: prepared.input },
    );
    for (const item of items) {
      item.stage = 'computing';
      item.computedAt = start;
      item.batchSize = items.length;
      this.#deadlines?.remove(item);
    }
    let failure: unknown;
    try {
      const results = await this.#output(this.#model, inputs);
      for (const [position, item] of items.entries()) {
        const result = results[position] as R | GhostNetError;
        if (result instanceof GhostNetError) this.#fail(item, 'failed', result);
        else this.#succeed(item, result);
      }
    } catch (error) {
      failure = error;
      for (const item of items) this.#fail(item, 'failed', error);
    }
    const milliseconds = performance.now() - start;
    this.#stats.batch(items.length, milliseconds);
    if (batchChannel.hasSubscribers) {
      batchChannel.publish({ pipeline: this.#owner, size: items.length, milliseconds, error: failure });
    }
  }

  #succeed(item: Item<R>, result: R): void {
    if (isSettled(item)) return;
    const now = performance.now();
    this.#stats.success(
      item.startedAt - item.enqueuedAt,
      item.prepared?.milliseconds ?? 0,
      now - item.enqueuedAt,
    );
    this.#stats.spend(item, now);
    this.#settle(item, 'succeeded', undefined, now);
    item.resolve(result);
  }

  /** Settles an image with an error, at whatever stage it is. */
  #fail(item: Item<R>, outcome: Outcome, error: unknown): void {
    if (isSettled(item)) return;
    const { stage, source } = item;
    this.#settle(item, outcome, error, performance.now());
    item.reject(error);
    if (stage === 'waiting') {
      this.#waiting.remove(item.caller, item);
      source?.discard?.();
    }
    if (stage === 'opened') this.#opened.delete(item);
    if (stage === 'opening') this.#opening.delete(item);
    if (stage === 'preparing') this.#preparing.delete(item);
    if (stage === 'opening' || stage === 'preparing') item.abort.abort();
    if (stage === 'ready') {
      this.#ready.delete(item);
      item.prepared?.input.dispose();
    }
    this.#advance();
  }

  #settle(item: Item<R>, outcome: Outcome, error: unknown, settledAt: number): void {
    this.#stats.counts[outcome] += 1;
    if (outcome === 'failed' && item.computedAt > 0) this.#stats.counts.computeFailed += 1;
    item.stage = 'settled';
    item.unlisten();
    this.#deadlines?.remove(item);
    item.source = undefined;
    item.opened = undefined;
    if (!imageChannel.hasSubscribers) return;
    const { enqueuedAt, startedAt, readyAt, computedAt, batchSize, prepared } = item;
    const times = { enqueuedAt, startedAt, readyAt, computedAt, settledAt };
    const { milliseconds: decodeMs = 0, scale = 8 } = prepared ?? {};
    const event = { pipeline: this.#owner, outcome, error, ...times, decodeMs, batchSize, scale };
    item.runInAsyncScope(() => {
      imageChannel.publish(event);
    });
  }
}

/** Also after an await, when the compiler would still trust the stage it saw before. */
function isSettled(item: { readonly stage: Stage }): boolean {
  return item.stage === 'settled';
}
