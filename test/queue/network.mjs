// A partition as a network has it: a worker in a network namespace, whose link is taken down.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ghostnet, Running } from './commands.mjs';
import { makePhotos } from './photos.mjs';
import { reached, rowsIn, settled, startsOf } from './queue.mjs';
import { password, RedisServer } from './servers.mjs';

const namespace = `ghostnet-${process.pid}`;
const near = `gn${process.pid % 100_000}`;
const far = `${near}p`;
const addresses = { near: '10.231.177.1', far: '10.231.177.2' };

function ip(...args) {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr}`);
}

/** @returns why not, or undefined */
export function canPartition() {
  try {
    ip('netns', 'add', namespace);
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
    return undefined;
  } catch (error) {
    return `no network namespaces: ${error.message.trim()}`;
  } finally {
    clear();
  }
}

function clear() {
  spawnSync('ip', ['link', 'delete', near]);
  spawnSync('ip', ['netns', 'delete', namespace]);
}

export async function partition({ folder }) {
  ip('netns', 'add', namespace);
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
    ip('link', 'set', far, 'netns', namespace);
    ip('addr', 'add', `${addresses.near}/30`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('-n', namespace, 'addr', 'add', `${addresses.far}/30`, 'dev', far);
    ip('-n', namespace, 'link', 'set', far, 'up');
    const redis = await RedisServer.start(join(folder, 'redis-network'), addresses.near);
    const jobs = 4_000;
    const cwd = join(folder, 'network');
    await makePhotos(cwd, jobs);
    const out = join(folder, 'network.jsonl');
    const common = ['--queue', 'network', '--out', out, '--threads', '1'];
    await ghostnet(['enqueue', '.', '--redis', redis.url, '--queue', 'network'], { cwd });
    const beyond = `redis://:${password}@${addresses.near}:${redis.port}`;
    const under = ['ip', 'netns', 'exec', namespace];
    const workers = [
      new Running(['worker', '--redis', beyond, ...common], { cwd, under }),
      new Running(['worker', '--redis', redis.url, ...common], { cwd }),
    ];
    try {
      await reached(redis, 'network', jobs / 4, 300);
      ip('link', 'set', near, 'down');
      await sleep(10_000);
      ip('link', 'set', near, 'up');
      const last = await settled(redis, 'network', 600);
      assert.deepEqual([last.completed, last.failed], [jobs, 0]);
      const rows = rowsIn(out);
      assert.deepEqual([rows.length, new Set(rows.map(({ key }) => key)).size], [jobs, jobs]);
      const starts = await startsOf(redis, 'network');
      return `${jobs} jobs, ${jobs} distinct results, ${starts - jobs} started more than once`;
    } finally {
      const ends = await Promise.all(workers.map((worker) => worker.signal('SIGTERM')));
      await redis.stop();
      assert.deepEqual(
        ends.map(({ code }) => code),
        [0, 0],
      );
    }
  } finally {
    clear();
  }
}
