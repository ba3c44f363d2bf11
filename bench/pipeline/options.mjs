import { parseArgs } from 'node:util';

import { groups } from './contenders.mjs';

export const usage = `npm run bench:pipeline -- [options]

Times the way from JPEG files to the best class beside its peers and prints tables, which docs/performance.md explains.

  --sizes small,12mp  sizes of the photos
  --only ours,ort     only these, of ${groups.join(', ')}; ours is always there
  --rounds 7          how often the contenders take turns
  --quick             three rounds of short turns: a look, not a measurement
  --json FILE         writes everything that was measured to a file, too
  --help              this text`;

const sizeNames = ['small', '12mp'];

// By size: the seconds of a turn, of a turn of a stage, and of a turn in the search for settings; and how many turns the last ones
// get in that.
const thorough = {
  rounds: 7,
  idleSeconds: 0.4,
  small: { seconds: 2, stageSeconds: 0.6, search: { seconds: 0.8 } },
  '12mp': { seconds: 3, stageSeconds: 1, search: { seconds: 1.6 } },
  turns: 3,
};
const quick = {
  rounds: 3,
  idleSeconds: 0.2,
  small: { seconds: 0.8, stageSeconds: 0.3, search: { seconds: 0.4 } },
  '12mp': { seconds: 1.6, stageSeconds: 0.5, search: { seconds: 0.8 } },
  turns: 1,
};

/** @throws {TypeError} */
export function optionsOf(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      sizes: { type: 'string', default: sizeNames.join(',') },
      only: { type: 'string', default: groups.join(',') },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const effort = values.quick ? quick : thorough;
  return {
    ...values,
    sizes: listOf('sizes', values.sizes, sizeNames),
    only: ['ours', ...listOf('only', values.only, groups)],
    effort: values.rounds === undefined ? effort : { ...effort, rounds: roundsOf(values.rounds) },
  };
}

/** A list of some of the names, in their order. */
function listOf(option, text, names) {
  const wanted = text.split(',');
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new TypeError(`--${option} takes a list of ${names.join(', ')}, not '${unknown.join(', ')}'`);
  }
  return names.filter((name) => wanted.includes(name));
}

function roundsOf(text) {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 1024) {
    throw new TypeError(`--rounds takes a whole number from 1 to 1024, not '${text}'`);
  }
  return count;
}
