import { AsyncResource } from 'node:async_hooks';

import type { ImageSource } from '../image/source.js';
import type { PreparedImage } from '../image/prepare.js';
import type { NativeImage } from '../native/addon.js';
import type { Want } from './outputs.js';

/** How an image is submitted. */
export interface Submission {
  readonly signal?: AbortSignal | undefined;
  readonly topK?: number | undefined;
  /** What it is asked for, if the output of the queue leaves a choice. */
  readonly wants?: readonly Want[] | undefined;
  /** Takes its turn; by default each image does. */
  readonly caller?: object | undefined;
  /** Waits for a place whatever `whenFull` says. */
  readonly waits?: boolean;
}

/** The stages of an image, in order. */
export type Stage = 'waiting' | 'opening' | 'opened' | 'preparing' | 'ready' | 'computing' | 'settled';

/** One image on its way through a pipeline, in the asynchronous context of its caller. */
export class Item<R> extends AsyncResource {
  readonly result: Promise<R>;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
  /** Aborts its decoding. */
  readonly abort = new AbortController();
  readonly topK: number;
  readonly wants: readonly Want[];
  /** Whose turn it takes. */
  readonly caller: object;
  stage: Stage = 'waiting';
  /** Released when the image settles, so that an abandoned image holds no memory. */
  source: ImageSource | undefined;
  opened: NativeImage | undefined;
  prepared: PreparedImage | undefined;
  /** Undoes the listening to the caller's signal. */
  unlisten: () => void = () => undefined;

  // In milliseconds of performance.now().
  readonly enqueuedAt = performance.now();
  startedAt = 0;
  readyAt = 0;
  computedAt = 0;
  batchSize = 0;

  constructor(source: ImageSource, topK: number, { wants = [], caller }: Submission) {
    super('ghostnet.image');
    this.source = source;
    this.topK = topK;
    this.wants = wants;
    this.caller = caller ?? this;
    const { promise, resolve, reject } = withResolvers<R>();
    this.result = promise;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** As Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
