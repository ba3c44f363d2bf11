import { createHash } from 'node:crypto';

import type { FullFinetuneSettings } from './finetune-settings.js';
import type { Sample, Split } from './types.js';

/** Settings that change no result, but for the threads, on which the last bits depend. */
const aside: ReadonlySet<string> = new Set<keyof FullFinetuneSettings>([
  'threads',
  'maxMemoryBytes',
  'checkpointSeconds',
]);

/**
 * The SHA-256 of all that the results of a training depend on, apart from the number of threads: its settings, pictures, classes and
 * source. A checkpoint belongs to the trainings with the same.
 *
 * @param source - the fingerprint of the model that the training starts from
 */
export function identityOf(
  source: string,
  classes: readonly string[],
  split: Split,
  settings: FullFinetuneSettings,
): string {
  const decisive = Object.entries(settings).filter(([name]) => !aside.has(name));
  const sorted = decisive.sort(([a], [b]) => (a < b ? -1 : 1));
  const samples = (list: readonly Sample[]) => list.map(({ key, label }) => [key, label]);
  const all = [1, source, classes, sorted, samples(split.train), samples(split.validation)];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}
