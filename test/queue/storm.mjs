// The main check: many jobs, two workers, and everything that can happen to processes, a server and a network.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';

import { ghostnet, Kept, Running } from './commands.mjs';
import { makePhotos } from './photos.mjs';
import { reached, rowsIn, settled, startsOf } from './queue.mjs';
import { Proxy } from './servers.mjs';

/** What happens to the workers `first` and `second`, and when: after which share of the jobs. */
const longForm = [
  { after: 0.1, title: 'kill -9 of a worker', happen: ({ first }) => first.kill() },
  { after: 0.25, title: 'kill -9 of the other', happen: ({ second }) => second.kill() },
  { after: 0.4, title: 'a partition of 10 s', happen: ({ proxy }) => proxy.partition(10_000) },
  { after: 0.55, title: 'kill -9 of Redis, 2 s without', happen: restart },
  { after: 0.7, title: 'all connections of a worker are cut', happen: ({ proxy }) => proxy.cut() },
  { after: 0.85, title: 'kill -9 of a worker', happen: ({ first }) => first.kill() },
];
const quickForm = [
  { after: 0.15, title: 'kill -9 of a worker', happen: ({ second }) => second.kill() },
  { after: 0.3, title: 'a partition of 10 s', happen: ({ proxy }) => proxy.partition(10_000) },
  { after: 0.35, title: 'all connections of a worker are cut', happen: ({ proxy }) => proxy.cut() },
  { after: 0.4, title: 'kill -9 of Redis, 2 s without', happen: restart },
];

async function restart({ redis }) {
  await redis.kill();
  await sleep(2_000);
  await redis.restart();
}

/** @returns what is told of it */
export async function storm({ redis, folder, isQuick }) {
  const jobs = isQuick ? 1_000 : 10_000;
  const queue = 'storm';
  const hashes = await makePhotos(join(folder, 'storm'), jobs);
  const cwd = join(folder, 'storm');
  await ghostnet(['enqueue', '.', '--redis', redis.url, '--queue', queue], { cwd });
  const proxy = await Proxy.start(redis.port);
  const out = join(folder, 'storm.jsonl');
  const weights = await saveModel(join(folder, 'storm.safetensors'));
  const worker = (url) =>
    new Kept(
      () =>
        new Running(
          [
            'worker',
            '--redis',
            url,
            '--queue',
            queue,
            '--out',
            out,
            '--top-k',
            '1',
            '--model',
            weights,
            '--threads',
            '1',
          ],
          { cwd },
        ),
    );
  const first = worker(proxy.url);
  const second = worker(redis.url);
  const begin = performance.now();
  const seconds = () => ((performance.now() - begin) / 1000).toFixed(0);
  try {
    for (const { after, title, happen } of isQuick ? quickForm : longForm) {
      const { completed } = await reached(redis, queue, after * jobs, 600);
      console.log(`    ${seconds()} s, ${completed} done: ${title}`);
      await happen({ first, second, proxy, redis });
    }
    const last = await settled(redis, queue, 900);
    const took = seconds();
    const ends = await Promise.all([first.stop(), second.stop()]);
    assert.deepEqual([last.completed, last.failed], [jobs, 0]);
    assert.deepEqual(
      ends.map(({ code }) => code),
      [0, 0],
      ends.map(({ stderr }) => stderr).join(''),
    );
    const rows = rowsIn(out);
    assert.equal(rows.length, jobs, 'rows');
    assert.equal(new Set(rows.map(({ key }) => key)).size, jobs, 'distinct keys');
    assert.deepEqual(
      new Map([...rows].sort(byImage).map(({ image, content }) => [image, content])),
      new Map([...hashes].sort()),
    );
    await checkResults(rows, cwd, weights);
    // Each return value leads to its row.
    const keys = new Set(rows.map(({ key }) => key));
    const values = await returnValues(redis, queue);
    assert.equal(values.length, jobs);
    assert.ok(values.every(({ key }) => keys.has(key)));
    const starts = await startsOf(redis, queue);
    assert.ok(starts >= jobs);
    return `${jobs} jobs, ${rows.length} distinct results, ${starts - jobs} started more than once, ${took} s`;
  } finally {
    await Promise.all([first.stop(), second.stop()]);
    proxy.stop();
  }
}

const byImage = (one, other) => (one.image < other.image ? -1 : 1);

/** A network that computes for a while, so that the misfortunes find work to spoil. */
async function saveModel(path) {
  const model = await GhostNet.create({ width: 1 });
  await model.save(path);
  model.dispose();
  return path;
}

/** The results are those that the model gives in this process. */
async function checkResults(rows, cwd, weights) {
  const model = await GhostNet.load(weights);
  const sample = rows.filter((_, index) => index % Math.ceil(rows.length / 40) === 0);
  const expected = await model.classify(
    sample.map(({ image }) => join(cwd, image)),
    { topK: 1 },
  );
  model.dispose();
  assert.deepEqual(
    sample.map(({ classes }) => classes[0].label),
    expected.map(([best]) => best.label),
  );
}

async function returnValues({ client }, queue) {
  const ids = await client.zrange(`bull:${queue}:completed`, 0, -1);
  const texts = await Promise.all(ids.map((id) => client.hget(`bull:${queue}:${id}`, 'returnvalue')));
  return texts.map((text) => JSON.parse(text));
}
