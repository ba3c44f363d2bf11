import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { EngineProcess } from '../engine-process.mjs';

const folder = fileURLToPath(new URL('contenders/', import.meta.url));

// Opening may include an installation.
const openSeconds = 900;

// So that spinning threads have stopped before another process is timed.
const restSeconds = 0.15;

/** A contender with settings, in a process of its own. */
export class ContenderProcess {
  #process;

  constructor(file) {
    this.#process = new EngineProcess(file, folder);
  }

  /**
   * @param {{ file: string, fixed: object }} contender
   * @param {object} settings one of its candidates
   * @param {{ network: object, files: string[] }} what
   */
  static async open({ file, fixed }, settings, { network, files }) {
    const opened = new ContenderProcess(file);
    try {
      const request = { network, files, settings: { ...fixed, ...settings } };
      Object.assign(opened, await opened.#process.request('open', request, { timeoutSeconds: openSeconds }));
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  }

  /** Works for some time. @returns the images, CPU milliseconds for each, and the delay of the event loop */
  async turn(work, seconds) {
    await pause(restSeconds * 1000);
    const reply = await this.#process.request('turn', { work, seconds }, { timeoutSeconds: openSeconds });
    const { images, cpuSeconds, loop } = reply;
    return {
      images,
      imagesPerSecond: images / reply.seconds,
      cpuMilliseconds: (cpuSeconds * 1000) / images,
      loop,
    };
  }

  /** The delay of the event loop while nothing is done. */
  async idle(seconds) {
    return (await this.#process.request('idle', { seconds })).loop;
  }

  /** Logarithms of the scores of all classes, for each file. */
  async scores() {
    return (await this.#process.request('scores', {}, { timeoutSeconds: openSeconds })).scores;
  }

  peakMemory() {
    return this.#process.peakMemory();
  }

  close() {
    return this.#process.close();
  }
}
