import { tmpdir } from 'node:os';
import { isDeepStrictEqual } from 'node:util';

import type { NamedArray } from '../checkpoint/index.js';
import { decodersFor } from '../pipeline/index.js';
import type { NativeTrainer, NativeTransform } from '../native/addon.js';
import { runJob } from '../native/jobs.js';
import { native } from '../native/load.js';
import { nativeArrays } from './arrays.js';
import { stepsOf } from './batches.js';
import type { FullFinetuneSettings } from './finetune-settings.js';
import type { FinetuneTask } from './finetune-task.js';
import { layersOf, loadNetwork, storedTransformOf, transformOf } from './network.js';
import { storePictures } from './pictures.js';
import { createPixelStore, type PixelStore } from './pixel-store.js';
import type { Sample } from './types.js';

/** What a training works with. */
export interface PreparedTraining {
  readonly trainer: NativeTrainer;
  /** Training pictures, with room for random crops. */
  readonly train: PixelStore;
  /** Validation pictures as in inference. */
  readonly validation: PixelStore;
  close(): Promise<void>;
}

/** A task whose settings are complete. */
export interface PreparationTask extends Omit<FinetuneTask, 'settings'> {
  readonly settings: FullFinetuneSettings;
  /** The arrays of the checkpoint to go on from. */
  readonly begun?: ReadonlyMap<string, NamedArray> | undefined;
}

/** Decodes all pictures, once, and makes the trainer. @throws {@link GhostNetError} as {@link finetune} */
export async function prepareTraining(task: PreparationTask): Promise<PreparedTraining> {
  const { model, classes, split, settings, signal, begun } = task;
  const options = signal === undefined ? {} : { signal };
  const open: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of open.splice(0)) await end();
  };
  const state = await model.stateDict(options);
  try {
    const source = new Map(
      Array.from(state, ([name, { dtype, shape, data }]): [string, NamedArray] => [
        name,
        { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
      ]),
    );
    const pictures = split.train.length + split.validation.length;
    let done = 0;
    const onPicture = (): void => {
      done += 1;
      task.onPicture?.(done, pictures);
    };
    const stored = async (samples: readonly Sample[], transform: NativeTransform, memoryBytes: number) => {
      const limits = { memoryBytes, folder: task.checkpoints ?? tmpdir() };
      const store = await createPixelStore(samples.length, transform.inputSize, limits);
      open.push(() => store.close());
      const decoder = await loadNetwork(
        source,
        layersOf(model.info, model.info.numClasses),
        transform,
        signal,
      );
      const decoders = decodersFor(settings.threads, native().runtime().defaultThreads);
      await storePictures(decoder, samples, store, { decoders, onPicture, signal }).finally(() => {
        decoder.dispose();
      });
      return store;
    };
    const { maxMemoryBytes } = settings;
    const train = await stored(split.train, storedTransformOf(model.info), maxMemoryBytes);
    const left = maxMemoryBytes - train.bytesInMemory;
    const validation = await stored(split.validation, transformOf(model.info), left);
    const keepsClassifier = isDeepStrictEqual([...model.info.labels], [...classes]);
    const ofNetwork = [...source].filter(([name]) => keepsClassifier || !name.startsWith('classifier.'));
    const fresh = ofNetwork.map(([name, array]): [string, NamedArray] => [`model.${name}`, array]);
    const trainer = await runJob(options, (ticket) =>
      native().createTrainer(ticket, nativeArrays(begun ?? fresh), {
        ...layersOf(model.info, classes.length),
        ...transformOf(model.info),
        ...trainerSettings(settings, split.train.length),
      }),
    );
    open.push(() => {
      trainer.dispose();
    });
    return { trainer, train, validation, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    for (const tensor of state.values()) tensor.dispose();
  }
}

function trainerSettings(settings: FullFinetuneSettings, count: number) {
  const { augment, epochs, batchSize, warmup } = settings;
  const totalSteps = epochs * stepsOf(count, batchSize);
  const {
    optimizer,
    learningRate,
    momentum,
    weightDecay,
    labelSmoothing,
    ema,
    maxGradientNorm,
    seed,
    threads,
  } = settings;
  return {
    ...{
      optimizer,
      learningRate,
      momentum,
      weightDecay,
      labelSmoothing,
      ema,
      maxGradientNorm,
      seed,
      threads,
    },
    ...augment,
    totalSteps,
    warmupSteps: Math.round(warmup * totalSteps),
    dtype: 'float32',
  } as const;
}
