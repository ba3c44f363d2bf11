import { GhostNetError } from '../errors.js';
import { fingerprintOf } from '../fingerprint.js';
import { throwIfAborted } from '../native/jobs.js';
import { tensorOf } from '../tensor.js';
import { partOf } from './arrays.js';
import { Checkpoints, type TrainingCheckpoint, type TrainingState } from './checkpoints.js';
import { finetuneSettings } from './finetune-settings.js';
import type { FinetuneResult, FinetuneTask } from './finetune-task.js';
import { FinetuneRun } from './finetune-run.js';
import { identityOf } from './identity.js';
import { layersOf, loadNetwork, stateOf, transformOf } from './network.js';
import { prepareTraining } from './prepare.js';
import type { Split } from './types.js';

export type { FinetuneResult, FinetuneTask };

/**
 * Trains all layers of a network on a thread of its own. Every step is a function of the seed, the epoch and the pictures, so that a
 * training that was stopped at any moment and resumed gives the same weights bit for bit, with the same number of threads.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_TRAINING_DIVERGED`, `GHOSTNET_ABORTED`,
 * `GHOSTNET_FILE_UNWRITABLE`, `GHOSTNET_MALFORMED_FILE`, `GHOSTNET_OUT_OF_MEMORY`, `GHOSTNET_DISPOSED`; for pictures as
 * {@link GhostNet.classify}
 */
export async function finetune(task: FinetuneTask): Promise<FinetuneResult> {
  const { model, classes, split, signal } = task;
  const settings = finetuneSettings(task.settings, model.info.threads);
  const options = signal === undefined ? {} : { signal };
  throwIfAborted(options);
  checkSplit(split, classes.length);
  const identity = identityOf(await fingerprintOf(model), classes, split, settings);
  const checkpoints = task.checkpoints === undefined ? undefined : await Checkpoints.open(task.checkpoints);
  const begun = await begunTraining(task, identity, checkpoints);
  if (begun?.state.isDone === true) return resultOf(task, begun);

  const prepared = await prepareTraining({ ...task, settings, begun: begun?.arrays });
  try {
    const run = new FinetuneRun({ task, settings, prepared, checkpoints }, begun ?? { identity });
    return await resultOf(task, await run.run());
  } finally {
    await prepared.close();
  }
}

function checkSplit({ train, validation }: Split, classes: number): void {
  if (classes < 2) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'There are too few classes to train', {
      found: `${classes}`,
      expected: 'at least 2',
    });
  }
  if (train.length < 2) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'There are too few pictures to train with', {
      found: `${train.length}`,
      expected: 'at least 2',
    });
  }
  for (const { label, path } of [...train, ...validation]) {
    if (Number.isSafeInteger(label) && label >= 0 && label < classes) continue;
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `The label of ${path} is no class`, {
      found: String(label),
      expected: `a whole number below ${classes}`,
    });
  }
}

/** The checkpoint to go on from. @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` if it is not meant or of another training */
async function begunTraining(
  { checkpoints: folder = '', resume = false }: FinetuneTask,
  identity: string,
  checkpoints: Checkpoints | undefined,
): Promise<TrainingCheckpoint | undefined> {
  const latest = await checkpoints?.latest();
  if (latest === undefined) return undefined;
  if (!resume) {
    if (latest.state.isDone) return undefined;
    throw new GhostNetError(
      'GHOSTNET_INVALID_ARGUMENT',
      `The folder ${folder} holds an unfinished training`,
      {
        found: `a checkpoint of epoch ${latest.state.epoch}`,
        expected: 'a folder without one, or the option resume',
        remedy: 'Resume it (`resume: true`, `--resume`), remove the folder, or choose another.',
      },
    );
  }
  if (latest.state.identity === identity) return latest;
  throw new GhostNetError(
    'GHOSTNET_INVALID_ARGUMENT',
    `The checkpoints in ${folder} are of another training`,
    {
      expected: 'the same pictures, classes, settings and model to start from',
      remedy: 'Pass what the training was begun with, or choose another folder.',
    },
  );
}

/** The weights of the best epoch as a model is saved. */
async function resultOf(
  { model, classes }: FinetuneTask,
  { state, arrays }: { readonly state: TrainingState; readonly arrays: TrainingCheckpoint['arrays'] },
): Promise<FinetuneResult> {
  const weights = partOf(arrays, 'best.weights.');
  const network = await loadNetwork(weights, layersOf(model.info, classes.length), transformOf(model.info));
  try {
    const folded = await stateOf(network, 'deployed');
    return {
      state: new Map(
        folded.map(([name, tensor]) => [name, tensorOf<'float32' | 'int64', readonly number[]>(tensor)]),
      ),
      reports: [...state.reports],
      bestEpoch: state.bestEpoch,
      scores: floatsOf(arrays.get('best.scores')?.data ?? new Uint8Array()),
    };
  } finally {
    network.dispose();
  }
}

/** A copy: the bytes of a file may lie at any address. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
