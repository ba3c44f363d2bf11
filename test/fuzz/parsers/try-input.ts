import { getHeapStatistics } from 'node:v8';

import { GhostNetError } from '../../../lib/errors.js';
import type { Target } from './target.js';

// What a parser may take, in milliseconds and in bytes: some for any input, and some for each of its bytes.
const timeOf = ({ length }: Buffer): number => 50 + 0.002 * length;
const memoryOf = ({ length }: Buffer, bytesPerByte = 200): number => 4_000_000 + bytesPerByte * length;

/** How often a parser that took too long is tried again: on a busy machine, anything takes long at times. */
const mostTrials = 4;

/** How the parser took an input. */
export interface Trial {
  /** `read`, the code of an error, or a word. */
  readonly outcome: string;
  readonly milliseconds: number;
  /** That were allocated, less what was collected meanwhile. */
  readonly bytes: number;
}

/** @throws {Error} if the parser failed */
export async function tryInput(target: Target, input: Buffer): Promise<Trial> {
  for (let trial = 1; ; trial += 1) {
    const before = allocated();
    const started = performance.now();
    const outcome = await outcomeOf(target, input);
    const milliseconds = performance.now() - started;
    const bytes = allocated() - before;
    if (bytes > memoryOf(input, target.bytesPerByte))
      throw new Error(`It takes ${bytes} bytes for ${input.length}`);
    if (milliseconds <= timeOf(input)) return { outcome, milliseconds, bytes };
    if (trial === mostTrials) {
      throw new Error(`It takes ${milliseconds.toFixed(0)} ms for ${input.length} bytes`);
    }
  }
}

function allocated(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

async function outcomeOf(target: Target, input: Buffer): Promise<string> {
  try {
    // A parser may write to a pool of Node's, and must not change the input.
    const word = target.parse(input);
    return (word instanceof Promise ? await word : word) ?? 'read';
  } catch (error) {
    if (!(error instanceof GhostNetError)) throw new Error('It throws no GhostNetError', { cause: error });
    if (!target.codes.includes(error.code)) throw new Error(`It throws ${error.code}`, { cause: error });
    return error.code;
  }
}
