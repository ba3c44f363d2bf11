import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { parseObject } from '../check/json.js';
import { readSafetensors, writeSafetensors, type NamedArray } from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import { readBytes, reasonOf } from '../files.js';
import { writeBytes } from '../replace-file.js';
import type { EpochReport } from './types.js';

/** Where a training is, besides its arrays. */
export interface TrainingState {
  /** A digest of all that the training depends on; see identity.ts. */
  readonly identity: string;
  /** The epoch that goes on, from 1. */
  readonly epoch: number;
  /** The steps of that epoch that are done. */
  readonly stepsDone: number;
  /** The sum of the losses of all pictures of these steps. */
  readonly lossSum: number;
  /** Of the last step. */
  readonly learningRate: number;
  /** That the epoch has taken so far. */
  readonly seconds: number;
  /** Of the epochs before. */
  readonly reports: readonly EpochReport[];
  /** 0 before the end of the first epoch. */
  readonly bestEpoch: number;
  readonly isDone: boolean;
}

/** A state with its arrays. */
export interface TrainingCheckpoint {
  readonly state: TrainingState;
  readonly arrays: ReadonlyMap<string, NamedArray>;
}

const kept = 2;
const metadataKey = 'ghostnet-training';
const nameOf = (number: number): string => `checkpoint-${String(number).padStart(8, '0')}.safetensors`;
const pattern = /^checkpoint-(\d{8})\.safetensors$/;

/**
 * The checkpoints of a training in a folder: safetensors files whose metadata is the state as JSON. Each is written beside the others
 * and renamed when it is on the disk, and only then all but two are removed. So a process that is killed at any moment leaves at least
 * one that is whole.
 */
export class Checkpoints {
  readonly #folder: string;
  #last: number;

  private constructor(folder: string, last: number) {
    this.#folder = folder;
    this.#last = last;
  }

  /** Creates the folder, and removes what a killed process left behind. @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE` */
  static async open(folder: string): Promise<Checkpoints> {
    return orUnwritable(folder, async () => {
      await mkdir(folder, { recursive: true });
      const names = await readdir(folder);
      const parts = names.filter((name) => /^\.ghostnet-[0-9a-f]{12}\.part$/.test(name));
      for (const part of parts) await rm(join(folder, part), { force: true });
      return new Checkpoints(folder, Math.max(0, ...numbersIn(names)));
    });
  }

  /**
   * The newest checkpoint that can be read; undefined if there is none.
   *
   * @throws {@link GhostNetError} the error of the newest if none can be read
   */
  async latest(): Promise<TrainingCheckpoint | undefined> {
    const numbers = numbersIn(await orUnwritable(this.#folder, () => readdir(this.#folder)));
    let failure: unknown;
    for (const number of numbers.sort((a, b) => b - a)) {
      try {
        return await readCheckpoint(join(this.#folder, nameOf(number)));
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure as GhostNetError;
    return undefined;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_FILE_UNWRITABLE`, `GHOSTNET_OUT_OF_MEMORY` */
  async write({ state, arrays }: TrainingCheckpoint): Promise<void> {
    const number = this.#last + 1;
    const file = writeSafetensors(arrays, { [metadataKey]: JSON.stringify(state) });
    await writeBytes(join(this.#folder, nameOf(number)), file);
    this.#last = number;
    await orUnwritable(this.#folder, async () => {
      // The new name must be on the disk, too, before an older file goes.
      const folder = await open(this.#folder);
      await folder.sync().finally(() => folder.close());
      for (const old of numbersIn(await readdir(this.#folder))) {
        if (old <= number - kept) await rm(join(this.#folder, nameOf(old)), { force: true });
      }
    });
  }
}

function numbersIn(names: readonly string[]): number[] {
  return names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
}

async function readCheckpoint(path: string): Promise<TrainingCheckpoint> {
  const { arrays, metadata } = readSafetensors(await readBytes(path), path);
  const where = `The metadata "${metadataKey}" of ${path}`;
  const state = parseObject(metadata[metadataKey] ?? '', where) as unknown as TrainingState;
  if (typeof state.identity !== 'string' || !Array.isArray(state.reports)) {
    throw new GhostNetError('GHOSTNET_MALFORMED_FILE', `${where} is not the state of a training`);
  }
  return { state: { ...state, reports: state.reports.map(withNumbers) }, arrays };
}

/** JSON has no NaN. */
function withNumbers(report: EpochReport): EpochReport {
  const { validationLoss, top1 } = report as { validationLoss: number | null; top1: number | null };
  return { ...report, validationLoss: validationLoss ?? NaN, top1: top1 ?? NaN };
}

async function orUnwritable<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof GhostNetError) throw cause;
    throw new GhostNetError(
      'GHOSTNET_FILE_UNWRITABLE',
      `The folder of checkpoints ${folder} cannot be used`,
      {
        found: reasonOf(cause),
        cause,
      },
    );
  }
}
