import { EngineUnavailable } from '../engine-process.mjs';
import { agreementOf, checkAgreement } from './agreement.mjs';
import { ContenderProcess } from './contender-process.mjs';

/**
 * Times contenders in turns. Each has a process of its own, and another one for its stages, so that the memory that these need
 * is not taken for the pipeline's.
 *
 * @param {{ contender: object, settings: object }[]} entries ours first
 * @param {{ network: object, files: string[], size: string }} what
 * @param {{ rounds: number, seconds: number, stageSeconds: number, idleSeconds: number }} effort
 * @param {(text: string) => void} progress
 * @returns the rows of the table, and the reasons why contenders were skipped
 */
export async function compareContenders(entries, what, effort, progress) {
  const open = [];
  const unavailable = {};
  try {
    for (const { contender, settings } of entries) {
      try {
        open.push(await openEntry(contender, settings, what));
      } catch (error) {
        if (!(error instanceof EngineUnavailable)) throw error;
        unavailable[contender.title] = error.message;
      }
    }
    await checkScores(open, what.size);
    for (const entry of open) await turnsOf(entry, { ...effort, seconds: effort.seconds / 2 });
    for (let round = 0; round < effort.rounds; round++) {
      progress(`round ${round + 1} of ${effort.rounds}`);
      // Each begins a round at times, so that none always follows the same one.
      for (let turn = 0; turn < open.length; turn++) {
        const entry = open[(round + turn) % open.length];
        entry.rounds.push(await turnsOf(entry, effort));
      }
    }
    return { rows: open.map(rowOf), unavailable };
  } finally {
    await Promise.all(open.flatMap(({ running, apart }) => [running.close(), apart?.close()]));
  }
}

async function openEntry(contender, settings, what) {
  const running = await ContenderProcess.open(contender, settings, what);
  if (!contender.staged) return { contender, running, works: [], rounds: [] };
  // The stages of worker threads are those of one thread.
  const alone = 'workers' in settings ? { ...settings, workers: 0 } : settings;
  const apart = await ContenderProcess.open(contender, alone, what);
  const works = apart.works.filter((work) => work !== 'pipeline');
  return { contender, running, apart, works, rounds: [] };
}

async function checkScores(open, size) {
  const all = [];
  for (const { running } of open) all.push(await running.scores());
  for (const [index, agreement] of agreementOf(all).entries()) {
    open[index].agreement = agreement;
    // Contenders treat large photos differently by design: they decode less, or do not smooth before they resize.
    if (size === 'small') checkAgreement(open[index].contender.title, agreement);
  }
}

async function turnsOf({ running, apart, works }, { seconds, stageSeconds, idleSeconds }) {
  const idle = await running.idle(idleSeconds);
  const result = { ...(await running.turn('pipeline', seconds)), idle, works: {} };
  for (const work of works) {
    result.works[work] = await apart.turn(work, work === 'callers' ? seconds : stageSeconds);
  }
  return result;
}

function rowOf({ contender, running, agreement, rounds }) {
  const { key, group, title } = contender;
  return {
    key,
    group,
    title,
    name: running.name,
    settings: running.settings,
    peakMemoryMiB: running.peakMemory(),
    agreement,
    rounds,
  };
}
