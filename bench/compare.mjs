import { setTimeout as pause } from 'node:timers/promises';

import { EngineProcess, EngineUnavailable, ours } from './engine-process.mjs';
import { measurePeak } from './peak.mjs';
import { median, spread } from './statistics.mjs';

/**
 * The largest difference between the logits of two engines that still counts as the same network, relative to the largest
 * logit. An engine may state a larger tolerance.
 */
const usualTolerance = 1e-4;

/** The peer whose speed is 1 in the table. */
export const yardstick = 'onnxruntime-node';

// Opening an engine may include its installation, or its compilation for the shape.
const openSeconds = 900;

/**
 * Times engines at one batch size and number of threads. Each engine has its own process. All are opened and warmed up before
 * any is timed. In each round they take turns, with a pause after each turn so that spinning threads have stopped.
 *
 * @param {string[]} engines ours first
 * @param {{ batch: number, threads: number }} cell
 * @param {{ weights: string, onnx: string, multiplyAdds: number, input: (shape: number[]) => Promise<string> }} network
 * @param {{ rounds: number, seconds: number, calls: number, pauseSeconds: number }} effort
 * @returns the rows of the cell, and the reasons why engines were skipped
 * @throws {Error} if an engine fails or its logits differ from ours
 */
export async function compareEngines(engines, cell, network, effort) {
  const shape = [cell.batch, 3, 224, 224];
  const { weights, onnx } = network;
  const request = {
    weights,
    onnx,
    input: await network.input(shape),
    shape,
    threads: cell.threads,
  };
  const open = new Map();
  const unavailable = new Map();
  try {
    for (const engine of engines) {
      const running = new EngineProcess(engine);
      open.set(engine, { running, rounds: [] });
      try {
        Object.assign(
          open.get(engine),
          await running.request('open', request, { timeoutSeconds: openSeconds }),
        );
      } catch (error) {
        if (!(error instanceof EngineUnavailable) || engine === ours) throw error;
        unavailable.set(engine, error.message);
        open.delete(engine);
        await running.close();
      }
    }
    await checkLogits(open);
    const { seconds, calls } = effort;
    for (const { running } of open.values()) {
      await running.request('time', { seconds, calls }, { timeoutSeconds: openSeconds });
    }
    let peak = 0;
    for (let round = 0; round < effort.rounds; round++) {
      // The speed of the machine varies, so its peak is the best of all rounds.
      peak = Math.max(peak, await measurePeak(cell.threads));
      for (const { running, rounds } of open.values()) {
        await pause(effort.pauseSeconds * 1000);
        rounds.push((await running.request('time', { seconds, calls })).milliseconds);
      }
    }
    return { rows: rowsOf(open, cell, peak, network.multiplyAdds), unavailable };
  } finally {
    await Promise.all([...open.values()].map(({ running }) => running.close()));
  }
}

/** Records for each engine how far its logits are from ours. */
async function checkLogits(open) {
  let expected;
  for (const [name, engine] of open) {
    const { logits } = await engine.running.request('logits', {}, { timeoutSeconds: openSeconds });
    expected ??= logits;
    engine.difference = relativeDifference(logits, expected);
    const tolerance = engine.tolerance ?? usualTolerance;
    // Written so that NaN fails too.
    if (!(engine.difference <= tolerance)) {
      throw new Error(
        `${name} does not compute the same network as ${ours}: its logits differ by ${engine.difference} of the largest ` +
          `logit, more than the allowed ${tolerance}`,
      );
    }
  }
}

function relativeDifference(actual, expected) {
  if (actual.length !== expected.length) return NaN;
  let difference = 0;
  let largest = 0;
  for (const [index, value] of expected.entries()) {
    // JSON has no NaN. It arrives as null and must not count as 0.
    difference = Math.max(difference, Math.abs((actual[index] ?? NaN) - (value ?? NaN)));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}

function rowsOf(open, { batch, threads }, peak, multiplyAdds) {
  const medians = (engine) => open.get(engine)?.rounds.map((milliseconds) => median(milliseconds));
  const own = medians(ours);
  const base = medians(yardstick);
  return [...open].map(([engine, { running, name, settings, difference, rounds }]) => {
    const milliseconds = spread(rounds.flat());
    // The load of the machine is similar within a round, but may differ between rounds.
    const times = medians(engine);
    const ratios = times.map((value, round) => value / own[round]);
    return {
      batch,
      threads,
      engine,
      name,
      settings,
      milliseconds,
      millisecondsPerImage: milliseconds.median / batch,
      imagesPerSecond: (batch * 1000) / milliseconds.median,
      speed: base === undefined ? null : spread(times.map((value, round) => base[round] / value)),
      ratioToOurs: engine === ours ? null : spread(ratios),
      shareOfPeak: (multiplyAdds * batch * 1000) / milliseconds.median / peak,
      peakMemoryMiB: running.peakMemory(),
      logitsDifference: difference,
      rounds,
    };
  });
}
