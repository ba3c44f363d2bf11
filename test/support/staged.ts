import { setTimeout as delay } from 'node:timers/promises';

import { decodeSettings } from '../../lib/image/options.js';
import type { NativeModel, NativeTensor } from '../../lib/native/addon.js';
import { pipelineSettings, type PipelineOptions } from '../../lib/pipeline/options.js';
import { Scheduler } from '../../lib/pipeline/scheduler.js';

/** What a test does with a batch. */
export type Compute = (size: number) => Promise<unknown>;

/** A pipeline without a network: its images are decoded at once, and a test computes its batches. */
export class StagedPipeline {
  readonly #scheduler: Scheduler<string>;

  constructor(options: PipelineOptions, compute: Compute) {
    const input = { dispose: () => undefined } as unknown as NativeTensor;
    const native = {
      prepare: () => Promise.resolve({ input, scale: 4, milliseconds: 2 }),
    } as unknown as NativeModel;
    const settings = pipelineSettings(options, 4, decodeSettings({}));
    this.#scheduler = new Scheduler<string>(
      this,
      { native, isDisposed: () => false, labels: [], threads: 2, decoders: 4 },
      settings,
      async (_, batch) => {
        await compute(batch.length);
        return batch.map(() => 'done');
      },
      () => undefined,
    );
  }

  async run(signal?: AbortSignal): Promise<string> {
    return this.#scheduler.submit({ name: 'an image', open: () => ({ path: '' }) }, { signal });
  }

  stats(): ReturnType<Scheduler<string>['stats']> {
    return this.#scheduler.stats();
  }

  async close(): Promise<void> {
    await this.#scheduler.close();
  }
}

/** A promise, and the function that resolves it. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** Waits until a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(1);
}
