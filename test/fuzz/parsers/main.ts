// parsers.mjs <settings as JSON>: tries the inputs of some cases, of one case again, or one input of a file. Prints what it met, as JSON.
import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { inspect } from 'node:util';

import { Random } from './random.js';
import type { Target } from './target.js';
import { pickTarget, targets } from './targets.js';
import { tryInput } from './try-input.js';

interface Settings {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** The file that holds the number of the case that is being tried: whoever watches knows where the process died. */
  readonly current: string;
  /** The file for the input of a case that fails. */
  readonly failure: string;
  /** Only writes the input of the first case to that file, for a case that ends the process. */
  readonly keep?: boolean;
}

interface Met {
  cases: number;
  outcomes: Record<string, Record<string, number>>;
  slowest: number;
  largest: number;
}

function makeCase({ seed }: Settings, index: number): { target: Target; input: Buffer } {
  const random = Random.ofCase(seed, index);
  const target = pickTarget(random);
  return { target, input: target.make(random) };
}

async function tryCases(settings: Settings): Promise<Met> {
  const met: Met = { cases: 0, outcomes: {}, slowest: 0, largest: 0 };
  const current = openSync(settings.current, 'w');
  for (let index = settings.from; index < settings.to; index += 1) {
    writeSync(current, String(index).padStart(16), 0);
    const { target, input } = makeCase(settings, index);
    try {
      const { outcome, milliseconds, bytes } = await tryInput(target, input);
      const outcomes = (met.outcomes[target.name] ??= {});
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      met.cases += 1;
      met.slowest = Math.max(met.slowest, milliseconds);
      met.largest = Math.max(met.largest, bytes);
    } catch (error) {
      writeFileSync(settings.failure, input);
      const { message, cause } = error as Error;
      const because = cause === undefined ? '' : `\n${inspect(cause)}`;
      console.error(`Case ${index} of seed ${settings.seed}, ${target.name}: ${message}${because}`);
      process.exit(1);
    }
  }
  return met;
}

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings & { target?: string; input?: string };
if (settings.input !== undefined) {
  const target = targets.find(({ name }) => name === settings.target);
  if (target === undefined) throw new Error(`Expected one of: ${targets.map(({ name }) => name).join(', ')}`);
  console.log(JSON.stringify(await tryInput(target, readFileSync(settings.input))));
} else if (settings.keep === true) {
  const { target, input } = makeCase(settings, settings.from);
  writeFileSync(settings.failure, input);
  console.log(JSON.stringify({ target: target.name }));
} else {
  console.log(JSON.stringify(await tryCases(settings)));
}
