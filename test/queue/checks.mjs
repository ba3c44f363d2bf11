// What queues promise, each in a queue of its own.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { ghostnet, Kept, printed, Running } from './commands.mjs';
import { startOrigin } from './origin.mjs';
import { makePhotos, scenes } from './photos.mjs';
import { reached, settled, startsOf, until, withQueue } from './queue.mjs';
import { password, PostgresServer } from './servers.mjs';

/** The arguments of a command for a queue. */
const on = (redis, queue) => ['--redis', redis.url, '--queue', queue];

/** The exit code of a worker of whose images some failed. */
const someFailed = 1;

export async function sigterm({ redis, folder }) {
  const cwd = join(folder, 'sigterm');
  await makePhotos(cwd, 600);
  const origin = await startOrigin(readFileSync(scenes[0]));
  try {
    // Those of the origin come first, and stay where they are: they have not begun when the signal comes.
    const waiting = Array.from({ length: 20 }, (_, number) => `${origin.url}/waiting/${number}.jpg`);
    await ghostnet(['enqueue', ...waiting, ...on(redis, 'sigterm')], { cwd });
    await ghostnet(['enqueue', '.', ...on(redis, 'sigterm')], { cwd });
    const args = ['worker', ...on(redis, 'sigterm'), '--allow-url', `${origin.url}/`, '--threads', '1'];
    const worker = new Running(args, { cwd });
    await reached(redis, 'sigterm', 60);
    const begin = performance.now();
    const { code, stderr } = await worker.signal('SIGTERM');
    const seconds = (performance.now() - begin) / 1000;
    assert.equal(code, 0, stderr);
    assert.ok(seconds < 7, `${seconds} s`);
    const handedBack = Number(/(\d+) handed back/.exec(stderr)?.[1]);
    assert.ok(handedBack >= 20, stderr);
    const state = await withQueue(redis, 'sigterm', (queue) => queue.status());
    assert.equal(state.active, 0, 'nothing is held');
    assert.equal(state.waiting + state.completed, 620, 'nothing is lost');
    assert.equal(state.delayed + state.failed, 0, 'nothing counts as a failure');
    const ids = await redis.client.lrange('bull:sigterm:wait', 0, -1);
    const attempts = await Promise.all(ids.map((id) => redis.client.hget(`bull:sigterm:${id}`, 'atm')));
    assert.ok(
      attempts.every((count) => count === null || count === '0'),
      'no attempt is counted',
    );
    // The look at the queue ends as well.
    const other = new Running([...args, '--until-empty'], { cwd });
    await reached(redis, 'sigterm', state.completed + 20);
    const ended = await Promise.race([other.signal('SIGTERM'), sleep(15_000)]);
    if (ended === undefined) await other.signal('SIGKILL');
    assert.equal(ended?.code, 0, '--until-empty goes on after SIGTERM');
    return `exit code 0 after ${seconds.toFixed(1)} s, ${handedBack} handed back`;
  } finally {
    origin.stop();
  }
}

export async function poison({ redis, folder }) {
  const cwd = join(folder, 'poison');
  await makePhotos(cwd, 100);
  writeFileSync(join(cwd, 'broken.jpg'), readFileSync(scenes[0]).subarray(0, 30_000));
  writeFileSync(join(cwd, 'text.jpg'), 'no image');
  await ghostnet(['enqueue', '.', ...on(redis, 'poison')], { cwd });
  await withQueue(redis, 'poison', (queue) =>
    queue.add([
      { path: 'missing.jpg' },
      { path: '../outside.jpg' },
      { path: '/etc/passwd' },
      { url: 'https://example.com/a.jpg' },
    ]),
  );
  // What other producers may write.
  const { client } = redis;
  const { Queue } = await import('bullmq');
  const raw = new Queue('poison', { connection: client });
  for (const data of [
    {},
    null,
    'text',
    { path: 7 },
    { path: 'a', url: 'https://b.example' },
    { path: 'a\0b' },
  ])
    await raw.add('image', data);
  const { id } = await raw.add('image', {});
  await client.hset(`bull:poison:${id}`, 'data', '{"path":');
  const begin = performance.now();
  await ghostnet(['worker', ...on(redis, 'poison'), '--until-empty'], { cwd }, someFailed);
  const seconds = (performance.now() - begin) / 1000;
  await raw.close();
  const { lines } = await ghostnet(['queue', 'failed', ...on(redis, 'poison')]);
  const count = (code) => lines.filter((line) => line.code === code && line.attempts === 1).length;
  assert.deepEqual(
    [
      'GHOSTNET_IMAGE_UNDECODABLE',
      'GHOSTNET_FILE_NOT_FOUND',
      'GHOSTNET_NOT_ALLOWED',
      'GHOSTNET_MALFORMED_JOB',
    ].map(count),
    [2, 1, 3, 7],
    JSON.stringify(lines),
  );
  assert.equal(lines.length, 13);
  assert.equal((await settled(redis, 'poison')).completed, 100);
  assert.ok(seconds < 20, `at once, and not after ${seconds} s`);
  return `13 dead letters after one attempt each, 100 neighbours done`;
}

/** What cannot work is said at the start. */
export async function starts({ redis, folder }) {
  const cwd = join(folder, 'starts');
  await makePhotos(cwd, 3);
  const other = ['--redis', `${redis.url}/99`, '--queue', 'starts'];
  for (const command of [['enqueue', '.'], ['worker'], ['queue', 'status']]) {
    const { stderr } = await ghostnet([...command, ...other], { cwd }, 3);
    assert.match(stderr, /DB index is out of range.*GHOSTNET_SERVICE_FAILED/);
  }
  await redis.client.set('taken', 'text');
  for (const key of ['taken', 'bull:starts:wait']) {
    const { stderr } = await ghostnet(['worker', ...on(redis, 'starts'), '--redis-hash', key], { cwd }, 2);
    assert.match(stderr, /GHOSTNET_INVALID_ARGUMENT/);
  }
  const { stderr } = await ghostnet(['queue', 'retry', 'none', ...on(redis, 'starts')], {}, 1);
  assert.match(stderr, /1 of the named jobs/);
  return 'a database that is not there, keys of something else, jobs that are not there';
}

export async function dead({ redis, folder }) {
  const cwd = join(folder, 'dead');
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, 'late.jpg'), 'not there yet');
  await withQueue(redis, 'dead', (queue) => queue.add([{ path: 'late.jpg' }, { path: 'missing.jpg' }]));
  await ghostnet(['worker', ...on(redis, 'dead'), '--until-empty'], { cwd }, someFailed);
  copyFileSync(scenes[0], join(cwd, 'late.jpg'));
  const retry = ['queue', 'retry', ...on(redis, 'dead'), '--code', 'GHOSTNET_IMAGE_UNDECODABLE'];
  assert.equal((await ghostnet(retry)).lines[0].retried, 1);
  await ghostnet(['worker', ...on(redis, 'dead'), '--until-empty'], { cwd });
  const { lines } = await ghostnet(['queue', 'failed', ...on(redis, 'dead')]);
  assert.deepEqual(
    lines.map(({ image, code }) => [image, code]),
    [['missing.jpg', 'GHOSTNET_FILE_NOT_FOUND']],
  );
  const { lines: status } = await ghostnet(['queue', 'status', ...on(redis, 'dead')]);
  assert.deepEqual([status[0].completed, status[0].failed, status[0].done], [1, 1, 1]);
  return 'listed by code, retried by code';
}

export async function killer({ redis, folder }) {
  const cwd = join(folder, 'killer');
  await makePhotos(cwd, 60);
  copyFileSync(scenes[0], join(cwd, 'killer.jpg'));
  await ghostnet(['enqueue', '.', ...on(redis, 'killer')], { cwd });
  const script = fileURLToPath(new URL('fragile-worker.mjs', import.meta.url));
  const worker = new Kept(() => new Running([redis.url, 'killer', cwd], { script }));
  try {
    const last = await settled(redis, 'killer', 180);
    assert.deepEqual([last.completed, last.failed], [60, 1]);
    const { lines } = await ghostnet(['queue', 'failed', ...on(redis, 'killer')]);
    assert.deepEqual([lines[0].image, lines[0].code], ['killer.jpg', 'GHOSTNET_WORKER_CRASHED']);
    assert.equal(worker.deaths, 3, 'deaths');
    return 'dead after it ended 3 workers, 60 neighbours done';
  } finally {
    await worker.stop();
  }
}

export async function urls({ redis, folder }) {
  const origin = await startOrigin(readFileSync(scenes[0]));
  try {
    const names = ['good', 'busy', 'reset', 'moved', 'away', 'large', 'missing'];
    const list = names.map((name) => `${origin.url}/photos/${name}.jpg?signature=hidden`);
    list.push(
      `${origin.url}/photos/good.jpg?signature=old`,
      `${origin.url}/private/secret.jpg?signature=hidden`,
    );
    list.push(`${origin.url}/photos/..%2fprivate/secret.jpg?signature=hidden`);
    const enqueue = ['enqueue', '--urls-from', '-', ...on(redis, 'urls')];
    assert.equal((await ghostnet(enqueue, { input: list.join('\n') })).lines[0].added, 10);
    const limits = ['--max-image-bytes', '1000000', '--until-empty'];
    const worker = ['worker', ...on(redis, 'urls'), '--allow-url', `${origin.url}/photos/`, ...limits];
    await ghostnet(worker, { cwd: folder }, someFailed);
    const state = await settled(redis, 'urls');
    const { lines } = await ghostnet(['queue', 'failed', ...on(redis, 'urls')]);
    assert.equal(state.completed, 4, JSON.stringify(lines));
    assert.deepEqual(
      Object.fromEntries(
        lines.map(({ image, code, attempts }) => [image.replace(origin.url, ''), `${code} ${attempts}`]),
      ),
      {
        '/photos/away.jpg': 'GHOSTNET_NOT_ALLOWED 1',
        '/photos/large.jpg': 'GHOSTNET_FILE_TOO_LARGE 1',
        '/photos/missing.jpg': 'GHOSTNET_FILE_NOT_FOUND 1',
        '/photos/good.jpg': 'GHOSTNET_FILE_UNREADABLE 1',
        '/private/secret.jpg': 'GHOSTNET_NOT_ALLOWED 1',
        '/photos/..%2fprivate/secret.jpg': 'GHOSTNET_NOT_ALLOWED 1',
      },
    );
    assert.equal(origin.requests('/private/secret.jpg'), 0, 'what is not allowed is not asked for');
    assert.deepEqual([origin.requests('/photos/busy.jpg'), origin.requests('/photos/reset.jpg')], [3, 2]);
    assert.ok(!printed.join('').includes('hidden'), 'no signature is printed');
    return '503 and a broken connection are tried again; 404, 403, redirects out and endless bodies are not';
  } finally {
    origin.stop();
  }
}

export async function content({ redis, folder }) {
  const cwd = join(folder, 'content');
  await makePhotos(cwd, 50);
  // The same content under another name is the same image.
  copyFileSync(join(cwd, '0', '7.jpg'), join(cwd, 'again.jpg'));
  const enqueue = ['enqueue', '.', '--content', ...on(redis, 'content')];
  const { lines } = await ghostnet(enqueue, { cwd });
  assert.deepEqual([lines[0].added, lines[0].present], [50, 1]);
  const kept = async () => (await redis.client.keys('ghostnet:content:content:*')).length;
  assert.equal(await kept(), 50);
  // A worker that sees no files.
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere, { recursive: true });
  await ghostnet(['worker', ...on(redis, 'content'), '--redis-hash', 'rows', '--until-empty'], {
    cwd: elsewhere,
  });
  assert.equal((await settled(redis, 'content')).completed, 50);
  const rows = Object.values(await redis.client.hgetall('rows')).map((text) => JSON.parse(text));
  assert.equal(new Set(rows.map(({ image }) => image)).size, 50);
  await until('content is removed', async () => ({ holds: (await kept()) === 0, seen: await kept() }), 5);
  return '50 images in Redis, none left';
}

export async function resumed({ redis, folder }) {
  const cwd = join(folder, 'resumed');
  await makePhotos(cwd, 3_000, 32);
  const enqueue = ['enqueue', '.', '--content', ...on(redis, 'resumed')];
  const killed = new Running(enqueue, { cwd });
  await until('half of it is there', async () => {
    const seen = await withQueue(redis, 'resumed', (queue) => queue.status());
    return { holds: seen.waiting > 0, seen };
  });
  await killed.signal('SIGKILL');
  const before = (await withQueue(redis, 'resumed', (queue) => queue.status())).waiting;
  assert.ok(before < 3_000, 'killed in time');
  const { lines } = await ghostnet(enqueue, { cwd });
  assert.deepEqual(lines[0], { queue: 'resumed', added: 3_000 - before, present: before, failed: 0 });
  // Backpressure: a full queue holds up the producer, until workers have made room.
  const held = new Running(['enqueue', '.', ...on(redis, 'resumed'), '--max-waiting', '3100'], { cwd });
  await sleep(2_000);
  const waiting = (await withQueue(redis, 'resumed', (queue) => queue.status())).waiting;
  assert.ok(waiting <= 3_100 && held.isRunning, `${waiting} wait`);
  assert.equal((await held.signal('SIGTERM')).code, 1);
  return `killed after ${before}, completed by the same command; ${waiting} with --max-waiting 3100`;
}

export async function postgres({ redis, folder }) {
  const server = await PostgresServer.start();
  try {
    const cwd = join(folder, 'rows');
    await makePhotos(cwd, 500);
    await ghostnet(['enqueue', '.', ...on(redis, 'postgres')], { cwd });
    const args = ['worker', ...on(redis, 'postgres'), '--table', 'public.results', '--threads', '1'];
    const env = { GHOSTNET_POSTGRES: server.url };
    const workers = [0, 1].map(() => new Kept(() => new Running(args, { cwd, env })));
    await reached(redis, 'postgres', 100);
    server.control('stop');
    await sleep(2_000);
    server.control('start');
    await workers[0].kill();
    const last = await settled(redis, 'postgres', 180);
    const [, { stderr }] = await Promise.all(workers.map((worker) => worker.stop()));
    assert.deepEqual([last.completed, last.failed], [500, 0]);
    const [{ rows, images }] = await server.query(
      'select count(*)::int as rows, count(distinct image)::int as images from public.results',
    );
    assert.deepEqual([rows, images], [500, 500]);
    const [{ label }] = await server.query("select result->0->>'label' as label from public.results limit 1");
    assert.equal(typeof label, 'string');
    assert.match(stderr, /is back/);
    // A table that cannot have the rows is no place that may come back.
    await server.query('create table odd (other int)');
    const odd = ['worker', ...on(redis, 'postgres'), '--table', 'odd'];
    assert.match((await ghostnet(odd, { cwd, env }, 3)).stderr, /odd.*column "key".*GHOSTNET_SERVICE_FAILED/);
    return `500 rows of two workers, with PostgreSQL away for 2 s and a kill -9; ${(await startsOf(redis, 'postgres')) - 500} started twice`;
  } finally {
    server.stop();
  }
}

export function secret() {
  assert.ok(printed.length > 10);
  assert.ok(!printed.join('').includes(password));
  return Promise.resolve(`not in the output of ${printed.length / 2} commands`);
}
