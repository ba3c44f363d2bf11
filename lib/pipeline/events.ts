import { channel } from 'node:diagnostics_channel';

import type { Outcome } from './stats.js';

/** The message of the channel `ghostnet.pipeline.image`: an image has settled. Published in the asynchronous context of `run()`. */
export interface ImageEvent {
  /** The pipeline that computed it: a {@link Pipeline}. */
  readonly pipeline: object;
  readonly outcome: Outcome;
  readonly error: unknown;
  /** When `run()` was called, in milliseconds of `performance.now()`. */
  readonly enqueuedAt: number;
  /** When its decoding began; 0 if it did not. */
  readonly startedAt: number;
  /** When it was decoded; 0 if it was not. */
  readonly readyAt: number;
  /** When its batch was given to the engine; 0 if it was not. */
  readonly computedAt: number;
  readonly settledAt: number;
  /** The time of decoding and resizing, in milliseconds. */
  readonly decodeMs: number;
  /** Images in its batch; 0 if it was in none. */
  readonly batchSize: number;
  /** The scale at which it was decoded, in eighths; 8 is the full size. */
  readonly scale: number;
}

/** The message of the channel `ghostnet.pipeline.batch`: a batch has been computed. */
export interface BatchEvent {
  readonly pipeline: object;
  readonly size: number;
  readonly milliseconds: number;
  readonly error: unknown;
}

/** The message of the channel `ghostnet.pipeline.rejected`: the queue was full. */
export interface RejectedEvent {
  readonly pipeline: object;
}

export const imageChannel = channel('ghostnet.pipeline.image');
export const batchChannel = channel('ghostnet.pipeline.batch');
export const rejectedChannel = channel('ghostnet.pipeline.rejected');
