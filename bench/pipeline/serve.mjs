import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

import { installPeers, PeersUnreachable } from '../peers.mjs';
import { answer, Unavailable } from '../serve.mjs';

/**
 * Implements the protocol of README.md over stdin and stdout, for a contender in Node.js.
 *
 * @param {(request: object) => Promise<{ name: string, settings: object, scores: (files: string[]) => Promise<number[][]>,
 *   works: Record<string, (next: () => string | undefined) => Promise<number>> }>} open
 */
export async function serveContender(open) {
  let contender;
  let files;
  let position = 0;
  await answer({
    async open(request) {
      files = request.files;
      contender = await open(request);
      return { name: contender.name, settings: contender.settings, works: Object.keys(contender.works) };
    },
    async scores() {
      return { scores: await contender.scores(files) };
    },
    async turn({ work, seconds }) {
      const end = performance.now() + seconds * 1000;
      // Turns go on where the last one ended, so that all files take part.
      const next = () => (performance.now() < end ? files[position++ % files.length] : undefined);
      return measured(() => contender.works[work](next));
    },
    async idle({ seconds }) {
      const { loop } = await measured(() => pause(seconds * 1000, 0));
      return { loop };
    },
  });
}

/** What happens in the whole process while something runs. */
async function measured(run) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const cpu = process.cpuUsage();
  const start = performance.now();
  delay.enable();
  const images = await run();
  delay.disable();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const loop = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
  return { images, seconds, cpuSeconds: (user + system) / 1e6, loop };
}

/** Makes the packages of the peers importable, or says why the contender cannot take part. */
export function needPeers() {
  try {
    installPeers();
  } catch (error) {
    throw error instanceof PeersUnreachable ? new Unavailable(error.message) : error;
  }
}

/** The logarithm of the softmax. */
export function logSoftmax(logits) {
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, value) => total + Math.exp(value - largest), 0);
  return Array.from(logits, (value) => value - largest - Math.log(sum));
}
