// npm run bench:train: images a second of fine-tuning beside PyTorch eager in the same run; with --accuracy also the accuracy of whole
// trainings with several seeds.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

import { machine } from './machine.mjs';
import { spread } from './statistics.mjs';
import { digits, markdownTable } from './table.mjs';
import { compareAccuracy } from './training/accuracy.mjs';
import { ourSeconds, recipe } from './training/speed.mjs';
import { torchTraining } from './training/torch.mjs';

const usage = `npm run bench:train -- [options]

  --rounds 5        how often the two sides take turns
  --quick           one network, two short rounds: a look, not a measurement
  --accuracy DIR    also trains on DIR/train/CLASS/ and tests on DIR/test/CLASS/, three seeds each: hours
  --epochs 20       of such a training
  --side 64         of its pictures
  --json FILE       writes everything that was measured to a file, too`;

const networks = [
  { width: 0.5, side: 64, batch: 32 },
  { width: 0.5, side: 64, batch: 128 },
  { width: 0.5, side: 96, batch: 64 },
  { width: 1, side: 224, batch: 16 },
];
const augment = { flip: true, leastArea: 0.35, colorJitter: 0, mixup: 0, cutmix: 0 };

const started = performance.now();
const progress = (text) =>
  process.stderr.write(
    `[${String(Math.round((performance.now() - started) / 1000)).padStart(4)} s] ${text}\n`,
  );

/** Both sides take turns; each turn has its warm-up. */
async function measure(network, { rounds, steps, threads }) {
  const task = { ...network, ...recipe, classes: 10, threads, steps, warmups: 2, seed: 1 };
  const rates = { ours: [], augmented: [], torch: [] };
  const add = (side, seconds) => rates[side].push(...seconds.map((each) => network.batch / each));
  for (let round = 0; round < rounds; round += 1) {
    add('ours', await ourSeconds(task));
    add('torch', await torchTraining('speed', task));
    add('augmented', await ourSeconds(task, augment));
    progress(
      `${network.width}x, ${network.side} pixels, ${network.batch} a step: round ${round + 1} of ${rounds}`,
    );
  }
  return {
    ...network,
    ours: spread(rates.ours),
    augmented: spread(rates.augmented),
    torch: spread(rates.torch),
  };
}

function speedTable(rows) {
  const range = ({ median, p10, p90 }) => `${digits(median, 0)} (${digits(p10, 0)}..${digits(p90, 0)})`;
  return markdownTable(
    ['network', 'side', 'batch', 'ghostnet', 'PyTorch eager', 'ratio', 'ghostnet with crops and flips'],
    rows.map(({ width, side, batch, ours, torch, augmented }) => [
      ...[`${width}x`, `${side}`, `${batch}`, range(ours), range(torch)],
      ...[digits(ours.median / torch.median, 2), range(augmented)],
    ]),
  );
}

function accuracyText(rows) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = (values) =>
    mean(values.map((value) => (value - mean(values)) ** 2)) * (values.length / (values.length - 1));
  const [ours, torch] = [rows.map((row) => row.ours), rows.map((row) => row.torch)];
  const error = Math.sqrt((variance(ours) + variance(torch)) / rows.length);
  const percent = (value) => `${(100 * value).toFixed(2)} %`;
  const list = (values) => values.map(percent).join(', ');
  return [
    `Right of the test pictures, by seed: ghostnet ${list(ours)}; PyTorch ${list(torch)}.`,
    `Means ${percent(mean(ours))} and ${percent(mean(torch))}, difference ${percent(mean(ours) - mean(torch))}, its standard error ${percent(error)}.`,
  ].join('\n');
}

async function main({ rounds, quick, accuracy, epochs, side, json }) {
  const threads = availableParallelism();
  const measuredOn = machine();
  const rows = [];
  for (const network of quick ? networks.slice(0, 1) : networks) {
    rows.push(await measure(network, { rounds: quick ? 2 : rounds, steps: quick ? 4 : 10, threads }));
  }
  console.log(
    `${measuredOn.processor}, ${measuredOn.processors} processors, Node ${measuredOn.node}, load average ${measuredOn.loadAverage.toFixed(1)} at the start\n`,
  );
  console.log(
    `Images a second, ${threads} threads, median (10th..90th percentile) of all steps\n\n${speedTable(rows)}`,
  );
  let compared;
  if (accuracy !== undefined) {
    compared = await compareAccuracy({
      data: accuracy,
      seeds: [1, 2, 3],
      epochs,
      side,
      width: 0.5,
      threads,
      progress,
    });
    console.log(`\n${accuracyText(compared)}`);
  }
  if (json !== undefined)
    await writeFile(json, JSON.stringify({ machine: measuredOn, rows, accuracy: compared }));
}

try {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      accuracy: { type: 'string' },
      epochs: { type: 'string', default: '20' },
      side: { type: 'string', default: '64' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) console.log(usage);
  else
    await main({
      ...values,
      rounds: Number(values.rounds),
      epochs: Number(values.epochs),
      side: Number(values.side),
    });
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${usage}` : error);
  process.exitCode = 1;
}
