import type { NamedArray } from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import type { NativeTensor } from '../native/addon.js';
import { runJob, throwIfAborted } from '../native/jobs.js';
import { arrayOf, disposeAll } from './arrays.js';
import { batchesOf } from './batches.js';
import type { Checkpoints, TrainingCheckpoint, TrainingState } from './checkpoints.js';
import type { FullFinetuneSettings } from './finetune-settings.js';
import type { FinetuneTask } from './finetune-task.js';
import { layersOf, loadNetwork, transformOf } from './network.js';
import type { PreparedTraining } from './prepare.js';
import type { EpochReport } from './types.js';
import { diverged, evaluate, type Evaluation } from './validation.js';

/** What a run consists of. */
export interface RunParts {
  readonly task: FinetuneTask;
  readonly settings: FullFinetuneSettings;
  readonly prepared: PreparedTraining;
  readonly checkpoints: Checkpoints | undefined;
}

const atStart = {
  epoch: 1,
  stepsDone: 0,
  lossSum: 0,
  learningRate: 0,
  seconds: 0,
  reports: [],
  bestEpoch: 0,
  isDone: false,
} satisfies Omit<TrainingState, 'identity'>;

/** The steps, looks and checkpoints of one training, from its start or from a checkpoint to its end. */
export class FinetuneRun {
  readonly #task: FinetuneTask;
  readonly #settings: FullFinetuneSettings;
  readonly #prepared: PreparedTraining;
  readonly #checkpoints: Checkpoints | undefined;
  readonly #options: { readonly signal?: AbortSignal };
  /** `best.weights.NAME` and `best.scores`: what the best epoch so far has given. */
  #best: ReadonlyMap<string, NamedArray> = new Map();
  #state: TrainingState;
  /** When the epoch began, less what it had taken before this run. */
  #since = performance.now();
  #writtenAt = performance.now();

  /** @param begun - a checkpoint, or the identity of a training that begins */
  constructor(parts: RunParts, begun: TrainingCheckpoint | { readonly identity: string }) {
    const { task } = parts;
    this.#task = task;
    this.#settings = parts.settings;
    this.#prepared = parts.prepared;
    this.#checkpoints = parts.checkpoints;
    this.#options = task.signal === undefined ? {} : { signal: task.signal };
    if ('state' in begun) {
      this.#state = begun.state;
      this.#best = new Map([...begun.arrays].filter(([name]) => name.startsWith('best.')));
      this.#since -= begun.state.seconds * 1000;
    } else {
      this.#state = { ...atStart, identity: begun.identity };
    }
  }

  /** @throws {@link GhostNetError} as {@link finetune} */
  async run(): Promise<TrainingCheckpoint> {
    try {
      while (!this.#state.isDone) {
        await this.#trainEpoch();
        await this.#endEpoch();
        await this.#writeIfDue();
      }
    } catch (error) {
      // Between two steps the state is whole.
      if (error instanceof GhostNetError && error.code === 'GHOSTNET_ABORTED') await this.#write();
      throw error;
    }
    await this.#write();
    return { state: this.#state, arrays: this.#best };
  }

  async #trainEpoch(): Promise<void> {
    const { split, onStep } = this.#task;
    const { epoch } = this.#state;
    const { trainer } = this.#prepared;
    const order = await runJob(this.#options, (ticket) => trainer.order(ticket, epoch, split.train.length));
    const numbers = Array.from(new BigInt64Array(order.buffer), Number);
    order.dispose();
    const batches = batchesOf(numbers, this.#settings.batchSize);
    const begun = performance.now();
    let images = 0;
    let next = this.#gather(batches[this.#state.stepsDone]);
    try {
      for (const [step, batch] of [...batches.entries()].slice(this.#state.stepsDone)) {
        throwIfAborted(this.#options);
        const pixels = await next;
        if (pixels === undefined) break;
        // The next batch is read while this one is computed.
        next = this.#gather(batches[step + 1]);
        await this.#step(pixels, batch, batches.length).finally(() => {
          pixels.dispose();
        });
        images += batch.length;
        const imagesPerSecond = (images * 1000) / (performance.now() - begun);
        onStep?.({ epoch, step: step + 1, steps: batches.length, imagesPerSecond });
        await this.#writeIfDue();
      }
    } finally {
      (await next.catch(() => undefined))?.dispose();
    }
  }

  async #gather(batch: readonly number[] | undefined): Promise<NativeTensor | undefined> {
    return batch === undefined ? undefined : this.#prepared.train.gather(batch);
  }

  async #step(pixels: NativeTensor, batch: readonly number[], steps: number): Promise<void> {
    const { epoch, stepsDone, lossSum } = this.#state;
    const { train } = this.#task.split;
    const { loss, rate } = await runJob(this.#options, (ticket) =>
      this.#prepared.trainer.step(ticket, pixels, {
        labels: batch.map((sample) => train[sample]?.label ?? -1),
        samples: batch,
        epoch,
        step: (epoch - 1) * steps + stepsDone,
        isFrozen: epoch <= this.#settings.frozenEpochs,
      }),
    );
    if (!Number.isFinite(loss))
      throw diverged(`a loss of ${loss} in step ${stepsDone + 1} of epoch ${epoch}`);
    this.#state = {
      ...this.#state,
      stepsDone: stepsDone + 1,
      lossSum: lossSum + loss * batch.length,
      learningRate: rate,
    };
  }

  /** Looks at what the epoch has brought, and goes on to the next. */
  async #endEpoch(): Promise<void> {
    const { onEpoch, split } = this.#task;
    const { epoch, lossSum, learningRate, reports, bestEpoch } = this.#state;
    const { epochs, patience } = this.#settings;
    const { trainer } = this.#prepared;
    const weights = await runJob(this.#options, (ticket) => trainer.weights(ticket));
    const arrays = new Map(weights.map(([name, tensor]) => [name, arrayOf(tensor)]));
    const { loss, top1, scores } = await this.#evaluate(arrays);
    const report: EpochReport = {
      epoch,
      epochs,
      trainLoss: lossSum / split.train.length,
      validationLoss: loss,
      top1,
      learningRate,
      images: split.train.length,
      seconds: (performance.now() - this.#since) / 1000,
    };
    const isBest = !isBetter(reports[bestEpoch - 1], report);
    if (isBest) {
      this.#best = new Map([
        ...[...arrays].map(([name, array]): [string, NamedArray] => [`best.weights.${name}`, array]),
        ['best.scores', scoresArray(scores, this.#task.classes.length)],
      ]);
    } else {
      disposeAll(weights);
    }
    const best = isBest ? epoch : bestEpoch;
    const isTired = patience > 0 && epoch - best >= patience;
    this.#state = {
      ...this.#state,
      ...{ epoch: epoch + 1, stepsDone: 0, lossSum: 0, seconds: 0, reports: [...reports, report] },
      bestEpoch: best,
      isDone: epoch >= epochs || isTired,
    };
    this.#since = performance.now();
    onEpoch?.(report);
  }

  async #evaluate(arrays: ReadonlyMap<string, NamedArray>): Promise<Evaluation> {
    const { model, classes, split, signal } = this.#task;
    const layers = layersOf(model.info, classes.length);
    const network = await loadNetwork(arrays, layers, transformOf(model.info), signal);
    try {
      const { validation } = this.#prepared;
      return await evaluate(network, split.validation, validation, this.#settings.threads, signal);
    } finally {
      network.dispose();
    }
  }

  async #writeIfDue(): Promise<void> {
    const sinceLast = performance.now() - this.#writtenAt;
    if (sinceLast >= this.#settings.checkpointSeconds * 1000) await this.#write();
  }

  async #write(): Promise<void> {
    if (this.#checkpoints === undefined) return;
    const { trainer } = this.#prepared;
    // Not with the signal: the last checkpoint is written after it has fired.
    const tensors = await runJob({}, (ticket) => trainer.state(ticket));
    const arrays = new Map(tensors.map(([name, tensor]) => [name, arrayOf(tensor)]));
    const seconds = this.#state.stepsDone === 0 ? 0 : (performance.now() - this.#since) / 1000;
    try {
      await this.#checkpoints.write({
        state: { ...this.#state, seconds },
        arrays: new Map([...arrays, ...this.#best]),
      });
    } finally {
      disposeAll(tensors);
    }
    this.#writtenAt = performance.now();
  }
}

/** Whether an epoch was better than a later one. Without validation none is. */
function isBetter(former: EpochReport | undefined, later: EpochReport): boolean {
  if (former === undefined || Number.isNaN(later.top1)) return false;
  if (former.top1 !== later.top1) return former.top1 > later.top1;
  return former.validationLoss <= later.validationLoss;
}

function scoresArray(scores: Float32Array<ArrayBuffer>, classes: number): NamedArray {
  return { dtype: 'float32', shape: [scores.length / classes, classes], data: new Uint8Array(scores.buffer) };
}
