// npm run bench:queue: what a queue costs. The processor's time for an image in a worker, and in two workers, beside that in a pipeline
// alone, in the same run; and that of Redis. Prints a table in Markdown.
//   --rounds 5      how often each is measured, in turn
//   --images 900    in each measurement
import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { GhostNet } from 'ghostnet';
import { openQueue } from 'ghostnet/queue';
import { Redis } from 'ioredis';

import { spread } from './statistics.mjs';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, images: { type: 'string', default: '900' } },
});
const rounds = Number(values.rounds);
const images = Number(values.images);
const script = fileURLToPath(new URL('queue/process.mjs', import.meta.url));
const threads = 2;

function photosHere() {
  const modules = fileURLToPath(new URL('../node_modules/@stdlib/', import.meta.url));
  const scenes = readdirSync(modules)
    .filter((name) => name.startsWith('datasets-img-'))
    .map((name) => join(modules, name, 'data', 'image.jpg'));
  const shared = fileURLToPath(new URL('../../shared/images/photos/', import.meta.url));
  if (!existsSync(shared)) return scenes;
  const more = readdirSync(shared, { recursive: true })
    .filter((name) => /\.jpe?g$/i.test(name))
    .map((name) => join(shared, name));
  return [...scenes, ...more];
}

/** Copies of photos, each of them different: a comment has a number. */
function lay(folder, count, photos) {
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: count }, (_, number) => {
    const jpeg = readFileSync(photos[number % photos.length]);
    const text = Buffer.from(`photo ${number} of ${folder}`);
    const head = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
    const path = join(folder, `${number}.jpg`);
    writeFileSync(path, Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]));
    return path;
  });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function message(child, wanted) {
  for (;;) {
    const [received] = await once(child, 'message');
    if (received.type === wanted) return received;
  }
}

async function started(settings) {
  const child = fork(script, [JSON.stringify(settings)]);
  await message(child, 'ready');
  return child;
}

async function stopped(children) {
  for (const child of children) child.send({ type: 'stop' });
  await Promise.all(children.map((child) => once(child, 'exit')));
}

/** The processor's time of the pipeline alone. */
async function measurePipeline(weights, warmUp, files) {
  const child = await started({ kind: 'pipeline', weights, threads });
  child.send({ type: 'begin', files: warmUp });
  await message(child, 'done');
  const begin = performance.now();
  child.send({ type: 'begin', files });
  await message(child, 'done');
  const seconds = (performance.now() - begin) / 1000;
  child.send({ type: 'end' });
  const { milliseconds } = await message(child, 'used');
  await stopped([child]);
  return { ms: milliseconds / files.length, perSecond: files.length / seconds };
}

/** The processor's time of workers, all together, and of Redis. */
async function measureWorkers(count, weights, warmUp, files, { url, client, folder }) {
  const queue = `bench-${process.hrtime.bigint()}`;
  const own = { kind: 'worker', weights, threads: threads / count, redis: url, queue, root: folder };
  const out = join(folder, `${queue}.jsonl`);
  const children = await Promise.all(Array.from({ length: count }, () => started({ ...own, out })));
  const producer = await openQueue({ redis: url, queue });
  const allDone = async (jobs) => {
    while ((await producer.status()).done < jobs) await sleep(100);
  };
  const add = (list) => producer.add(list.map((path) => ({ path })));
  await add(warmUp);
  await allDone(warmUp.length);
  for (const child of children) child.send({ type: 'begin' });
  await Promise.all(children.map((child) => message(child, 'done')));
  const before = await processorOf(client);
  const begin = performance.now();
  await add(files);
  await allDone(warmUp.length + files.length);
  const seconds = (performance.now() - begin) / 1000;
  const redis = (await processorOf(client)) - before;
  for (const child of children) child.send({ type: 'end' });
  const used = await Promise.all(children.map((child) => message(child, 'used')));
  await producer.close();
  await stopped(children);
  rmSync(out);
  const sum = used.reduce((total, { milliseconds }) => total + milliseconds, 0);
  return { ms: sum / files.length, perSecond: files.length / seconds, redisMs: redis / files.length };
}

async function processorOf(client) {
  const info = await client.info('cpu');
  const of = (name) => Number(new RegExp(`^used_cpu_${name}:([\\d.]+)`, 'm').exec(info)[1]);
  return 1000 * (of('user') + of('sys'));
}

async function widerModel(folder) {
  const model = await GhostNet.create({ width: 1 });
  const path = join(folder, 'ghostnet_100.safetensors');
  await model.save(path);
  model.dispose();
  return path;
}

const text = ({ median, p10, p90 }, digits, factor = 1) =>
  `${(median * factor).toFixed(digits)} (${(p10 * factor).toFixed(digits)} to ${(p90 * factor).toFixed(digits)})`;

async function main(folder) {
  const port = await freePort();
  const data = join(folder, 'redis');
  mkdirSync(data);
  const server = spawn(
    'redis-server',
    ['--port', port, '--bind', '127.0.0.1', '--dir', data, '--appendonly', 'yes', '--save', ''].map(String),
    { stdio: 'ignore' },
  );
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await client.ping();
  const photos = photosHere();
  const warmUp = lay(join(folder, 'warm'), 400, photos);
  const files = lay(join(folder, 'photos'), images, photos);
  const bytes = files.reduce((sum, path) => sum + readFileSync(path).length, 0);
  console.log(
    `${images} photos a measurement, copies of ${photos.length}, ${Math.round(bytes / images / 1000)} kB on average; ${rounds} rounds; ` +
      `median, 10th and 90th percentile\n`,
  );
  console.log(
    '| network | | ms of the processor an image | share of the pipeline | Redis, ms a job | images/s |',
  );
  console.log('|---|---|---|---|---|---|');
  for (const [name, weights] of [
    ['ghostnet_050, embedded', undefined],
    ['width 1.0, 224 pixels', await widerModel(folder)],
  ]) {
    const rows = { 'pipeline alone': [], 'one worker': [], 'two workers': [] };
    for (let round = 0; round < rounds; round++) {
      rows['pipeline alone'].push(await measurePipeline(weights, warmUp, files));
      for (const [count, row] of [
        [1, 'one worker'],
        [2, 'two workers'],
      ]) {
        const measured = await measureWorkers(count, weights, warmUp, files, { url, client, folder });
        rows[row].push({ ...measured, share: rows['pipeline alone'].at(-1).ms / measured.ms });
      }
      process.stderr.write(`${name}: round ${round + 1} of ${rounds}\n`);
    }
    for (const [row, list] of Object.entries(rows)) {
      const of = (pick) => spread(list.map(pick));
      const isAlone = row === 'pipeline alone';
      console.log(
        `| ${name} | ${row} | ${text(
          of(({ ms }) => ms),
          2,
        )} | ${
          isAlone
            ? ''
            : `${text(
                of(({ share }) => share),
                1,
                100,
              )} %`
        } | ` +
          `${
            isAlone
              ? ''
              : text(
                  of(({ redisMs }) => redisMs),
                  2,
                )
          } | ${text(
            of(({ perSecond }) => perSecond),
            0,
          )} |`,
      );
    }
  }
  client.disconnect();
  server.kill();
  await once(server, 'exit');
}

if (spawnSync('redis-server', ['--version']).status !== 0) {
  console.error('redis-server is not installed: apt-get install redis-server');
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'ghostnet-bench-queue-'));
try {
  await main(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
