// What a probe promises, with 2,000 labelled pictures.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { GhostNet } from 'ghostnet';

import { readFolderByClass } from '../../dist/training/dataset.js';
import { hashFiles } from '../../dist/training/samples.js';
import { splitSamples } from '../../dist/training/split.js';
import { packages } from './environment.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cli = join(root, 'dist', 'cli', 'main.js');
const archive = fileURLToPath(new URL('../../../shared/data/cifar10-test-2000.zip', import.meta.url));

const needsPictures = () =>
  existsSync(archive) ? undefined : 'needs the folder ../shared, which is not published';
const needsPython = () =>
  packages.isInstalled
    ? undefined
    : 'needs build/train/python, which `node test/train/environment.mjs` makes';

/** The pictures, unpacked once. */
function picturesIn(folder) {
  const pictures = join(folder, 'cifar10-test');
  if (!existsSync(pictures)) execFileSync('cmake', ['-E', 'tar', 'xf', archive], { cwd: folder });
  return pictures;
}

/** Prints what the processors worked for the process when it ends. */
const usage = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stderr.write('processors ' + (user + system) / 1e6 + '\\n'); })",
)}`;

/** Runs `ghostnet train`. @returns its lines, and its times in seconds */
function trainProcess(args, cache) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', usage, cli, 'train', ...args], {
    encoding: 'utf8',
    env: { ...process.env, GHOSTNET_CACHE: cache },
  });
  if (status !== 0) throw new Error(`ghostnet train ended with ${status}: ${stderr}`);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const processors = Number(/^processors (.*)$/m.exec(stderr)?.[1]);
  return { lines, summary: lines.at(-1), wall: (performance.now() - start) / 1000, processors };
}

const limit = 15;

/** From the start of the process to the file, without any embedding that is kept. */
async function time({ folder }) {
  const pictures = picturesIn(folder);
  const tries = [];
  while (tries.length < 3) {
    const cache = mkdtempSync(join(folder, 'cache-'));
    const out = join(folder, 'timed.safetensors');
    tries.push(trainProcess([pictures, '--out', out, '--report', join(folder, 'timed.html')], cache));
    if (tries.at(-1).wall < limit) break;
  }
  const wall = Math.min(...tries.map((one) => one.wall));
  const processors = Math.min(...tries.map((one) => one.processors));
  const text = `${wall.toFixed(1)} s, ${processors.toFixed(1)} s of processors`;
  // What two processors would do in the time at most. On a busy machine only this can be said.
  if (!(processors < limit)) throw new Error(`${text}: not below ${limit} s`);
  const isBusy = loadavg()[0] > availableParallelism() + 1;
  if (wall >= limit && !isBusy) throw new Error(`${text}: not below ${limit} s on an idle machine`);
  return wall < limit ? text : `${text} (the machine is busy)`;
}

/** The second training with the same pictures takes their embeddings from disk, and writes the same file. */
async function again({ folder }) {
  const pictures = picturesIn(folder);
  const cache = mkdtempSync(join(folder, 'cache-'));
  const files = ['first', 'second'].map((name) => join(folder, `${name}.safetensors`));
  const [first, second] = files.map((out) => trainProcess([pictures, '--out', out], cache));
  if (!readFileSync(files[0]).equals(readFileSync(files[1]))) throw new Error('The files differ');
  const { top1, trainImages, validationImages, skipped } = first.summary;
  if (trainImages !== 1600 || validationImages !== 400 || skipped !== 0)
    throw new Error(`A split of ${trainImages} and ${validationImages}, ${skipped} skipped`);
  // The file says what the command said, and classifies what it was judged by as it said.
  const model = await GhostNet.load(files[0]);
  const { training, labels } = model.info;
  model.dispose();
  if (training.top1 !== Number(top1.toPrecision(6)) || labels.length !== 10)
    throw new Error(`The file says ${JSON.stringify(training)}`);
  return `${(100 * top1).toFixed(1)} % right; processors ${first.processors.toFixed(1)} s, then ${second.processors.toFixed(1)} s`;
}

/** The penalties of scikit-learn, from too strong to too weak. */
const penalties = { quick: '0.03,0.1,0.3', long: '0.01,0.03,0.1,0.3,1' };

/** Whether the probe is as good as scikit-learn's logistic regression, whose best penalty is chosen as the probe chooses its own. */
async function peer({ folder, isQuick }) {
  const pictures = picturesIn(folder);
  const cacheDir = join(folder, 'cache-of-peer');
  const seeds = isQuick ? [0] : [0, 1, 2];
  const model = await GhostNet.load();
  const { files } = await readFolderByClass(pictures, { warn: () => undefined });
  const samples = await hashFiles(files, { warn: () => undefined });
  const rows = new Map();
  const paths = [...new Map(samples.map((sample) => [sample.key, sample.path]))];
  const { data } = await model.embed(paths.map(([, path]) => path));
  for (const [index, [key]] of paths.entries())
    rows.set(key, data.subarray(1280 * index, 1280 * (index + 1)));
  const lines = [];
  let [ours, theirs] = [0, 0];
  for (const seed of seeds) {
    const parts = splitSamples(samples, { share: 0.2, seed });
    const place = join(folder, `peer-${seed}`);
    mkdirSync(place);
    const labels = {};
    for (const [part, list] of Object.entries(parts)) {
      labels[part] = list.map(({ label }) => label);
      writeFileSync(
        join(place, `${part}.f32`),
        Buffer.concat(list.map(({ key }) => Buffer.from(rows.get(key).slice().buffer))),
      );
    }
    writeFileSync(join(place, 'labels.json'), JSON.stringify(labels));
    const script = fileURLToPath(new URL('logistic.py', import.meta.url));
    const output = execFileSync('python3', [script, place, isQuick ? penalties.quick : penalties.long], {
      encoding: 'utf8',
      env: packages.environment,
    });
    const results = Object.entries(JSON.parse(output));
    const [c, best] = results.reduce((a, b) => (b[1].loss < a[1].loss ? b : a));
    const { metrics, model: trained } = await GhostNet.train(pictures, { from: model, cacheDir, seed });
    trained.dispose();
    ours += metrics.top1 / seeds.length;
    theirs += best.right / seeds.length;
    const percent = (share) => `${(100 * share).toFixed(2)} %`;
    lines.push(
      `seed ${seed}: ${percent(metrics.top1)} (loss ${metrics.loss.toFixed(4)}), scikit-learn ${percent(best.right)} (loss ${best.loss.toFixed(4)}, C ${c})`,
    );
  }
  model.dispose();
  if (!(ours >= theirs - 0.01)) throw new Error(`Worse by more than a point\n${lines.join('\n')}`);
  return lines.join('\n          ');
}

/** The example of docs/training.md: digits as PNG files, and a model of them. */
async function digits({ folder }) {
  const place = join(folder, 'digits');
  const script = join(root, 'examples', 'digits', 'export.py');
  execFileSync('python3', [script, place], { encoding: 'utf8', env: packages.environment });
  const counts = readdirSync(place).map((name) => readdirSync(join(place, name)).length);
  if (counts.length !== 10 || counts.some((count) => count !== 100)) throw new Error(`Exported ${counts}`);
  const { summary, processors } = trainProcess(
    [place, '--out', join(folder, 'digits.safetensors')],
    join(folder, 'cache-of-digits'),
  );
  if (!(summary.top1 > 0.8)) throw new Error(`${summary.top1} right`);
  return `${(100 * summary.top1).toFixed(1)} % right, ${processors.toFixed(1)} s of processors`;
}

/** Each with its obstacle, if there is one on this machine. */
export const checks = [
  { name: '2,000 pictures by probe in less than 15 s', check: time, obstacle: needsPictures },
  { name: 'the same file from embeddings that are kept', check: again, obstacle: needsPictures },
  {
    name: "as good as scikit-learn's logistic regression",
    check: peer,
    obstacle: () => needsPictures() ?? needsPython(),
  },
  { name: 'the example of digits', check: digits, obstacle: needsPython },
];
