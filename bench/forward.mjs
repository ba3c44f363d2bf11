import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { compareEngines } from './compare.mjs';
import { engineNames, ours } from './engine-process.mjs';
import { timeLoad } from './load.mjs';
import { machine } from './machine.mjs';
import { layOutNetwork } from './network.mjs';
import { comparisonsOf, reportOf } from './report.mjs';
import { timeTrip } from './trip.mjs';

const usage = `npm run bench -- [options]

Times a network beside its peers and prints a table, which docs/performance.md explains.

  --variant NAME   the network, ghostnet_100 if not given, e.g. ghostnetv2_100 or ghostnetv3_100, whose branches are folded
  --batch 1,8,32   batch sizes
  --threads 1,2    numbers of threads
  --engines a,b    only these, of bench/engines/; ghostnet is always there
  --rounds 7       how often the engines take turns
  --quick          three rounds of short turns: a look, not a measurement
  --load           only the time from a weights file to the first logits, and of the way from JavaScript and back
  --json FILE      writes everything that was measured to a file, too
  --help           this text`;

const thorough = { rounds: 7, seconds: 0.6, calls: 3, pauseSeconds: 0.25, trials: 9 };
const quick = { rounds: 3, seconds: 0.1, calls: 2, pauseSeconds: 0.1, trials: 3 };

function optionsOf(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      variant: { type: 'string', default: 'ghostnet_100' },
      batch: { type: 'string', default: '1,8,32' },
      threads: { type: 'string', default: '1,2' },
      engines: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      load: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const effort = values.quick ? quick : thorough;
  return {
    ...values,
    batch: countsOf('batch', values.batch),
    threads: countsOf('threads', values.threads),
    engines: enginesOf(values.engines),
    effort: values.rounds === undefined ? effort : { ...effort, rounds: countOf('rounds', values.rounds) },
  };
}

function enginesOf(text) {
  const names = engineNames();
  if (text === undefined) return names;
  const wanted = text.split(',');
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new TypeError(`--engines takes a list of ${names.join(', ')}, not '${unknown.join(', ')}'`);
  }
  return names.filter((name) => name === ours || wanted.includes(name));
}

function countsOf(option, text) {
  return text.split(',').map((part) => countOf(option, part));
}

function countOf(option, text) {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 1024) {
    throw new TypeError(`--${option} takes whole numbers from 1 to 1024, not '${text}'`);
  }
  return count;
}

async function timeForward({ batch, threads, effort, ...options }, network) {
  let { engines } = options;
  const rows = [];
  const unavailable = {};
  for (const cell of threads.flatMap((count) => batch.map((size) => ({ batch: size, threads: count })))) {
    progress(`batch ${cell.batch}, threads ${cell.threads}: ${engines.join(', ')}`);
    const result = await compareEngines(engines, cell, network, effort);
    rows.push(...result.rows);
    for (const [engine, reason] of result.unavailable) {
      progress(`${engine} is skipped: ${reason}`);
      unavailable[engine] = reason;
      engines = engines.filter((name) => name !== engine);
    }
  }
  return { rows, unavailable, comparisons: comparisonsOf(rows) };
}

// Only the table goes to stdout.
function progress(text) {
  process.stderr.write(`${text}\n`);
}

async function main(options) {
  const measuredOn = machine();
  const network = await layOutNetwork(options.variant);
  try {
    const forward = options.load ? null : await timeForward(options, network);
    progress('load');
    const load = await timeLoad(network.weights, options.effort.trials);
    progress('the round trip from JavaScript');
    const trip = await timeTrip(network.weights, await network.input([1, 3, 224, 224]));
    const result = {
      machine: measuredOn,
      network: `${network.variant}, 224x224, float32, ${network.description}`,
      forward,
      load,
      trip,
    };
    console.log(reportOf(result));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    await network.remove();
  }
}

function optionsOrUsage(argv) {
  try {
    return optionsOf(argv);
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(1);
  }
}

const options = optionsOrUsage(process.argv.slice(2));
if (options.help) console.log(usage);
else await main(options);
