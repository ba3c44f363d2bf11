import { median } from '../statistics.mjs';
import { settingsText } from './contenders.mjs';
import { ContenderProcess } from './contender-process.mjs';

/**
 * Finds the settings with the highest rate. All candidates take part in the first heat, the fastest quarter in the next one.
 *
 * @param {{ title: string, candidates: object[] }} contender
 * @param {object[] | undefined} leading the candidates to try, if another search has narrowed them down
 * @param {{ network: object, files: string[] }} what
 * @param {{ seconds: number, turns: number }} effort of a turn, and how many of them a candidate gets if few are left
 * @param {(text: string) => void} progress
 * @returns all settings that were tried, with their rates, best first
 */
export async function rankSettings(contender, leading, what, effort, progress) {
  let tried = (leading ?? contender.candidates).map((settings) => ({ settings }));
  let behind = [];
  while (tried.length > 1) {
    const keep = Math.ceil(tried.length / 4);
    const turns = tried.length > 4 ? 1 : effort.turns;
    const results = tried.map(() => []);
    // The candidates take turns, because the load of the machine varies.
    for (let turn = 0; turn < turns; turn++) {
      for (const [index, { settings }] of tried.entries()) {
        results[index].push(await turnOf(contender, settings, what, effort.seconds));
      }
    }
    for (const [index, candidate] of tried.entries()) {
      candidate.imagesPerSecond = median(results[index].map(({ imagesPerSecond }) => imagesPerSecond));
      candidate.cpuMilliseconds = median(results[index].map(({ cpuMilliseconds }) => cpuMilliseconds));
    }
    tried.sort((one, other) => other.imagesPerSecond - one.imagesPerSecond);
    const [{ settings, imagesPerSecond }] = tried;
    progress(
      `${contender.title}: the best of ${tried.length}: ${settingsText(settings)}: ${imagesPerSecond.toFixed(1)} images/s`,
    );
    behind = [...tried.slice(keep), ...behind];
    tried = tried.slice(0, keep);
  }
  return [...tried, ...behind];
}

/** A turn in a new process. */
async function turnOf(contender, settings, what, seconds) {
  const running = await ContenderProcess.open(contender, settings, what);
  try {
    await running.turn('pipeline', seconds / 4); // warms up
    return await running.turn('pipeline', seconds);
  } finally {
    await running.close();
  }
}
