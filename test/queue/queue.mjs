// What the suite asks of a queue and of results.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { openQueue } from 'ghostnet/queue';

/** Waits until something holds. @throws {Error} with what was last seen if it takes too long */
export async function until(what, look, seconds = 120) {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const { holds, seen } = await look();
    if (holds) return seen;
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s; ${JSON.stringify(seen)}`);
    await sleep(200);
  }
}

/** Waits until no job waits, is active or will be tried again. */
export async function settled(redis, queue, seconds) {
  return withQueue(redis, queue, (open) =>
    until(
      'the queue settles',
      async () => {
        const seen = await open.status();
        return { holds: seen.waiting + seen.active + seen.delayed === 0, seen };
      },
      seconds,
    ),
  );
}

/** Waits until so many jobs are done. */
export async function reached(redis, queue, done, seconds) {
  return withQueue(redis, queue, (open) =>
    until(
      `${done} jobs are done`,
      async () => {
        const seen = await open.status();
        return { holds: seen.completed >= done, seen };
      },
      seconds,
    ),
  );
}

export async function withQueue({ url }, queue, work) {
  const open = await openQueue({ redis: url, queue });
  try {
    return await work(open);
  } finally {
    await open.close();
  }
}

/** How often jobs were started by a worker, all together. */
export async function startsOf({ client }, queue) {
  let starts = 0;
  for await (const keys of client.scanStream({ match: `bull:${queue}:*-*`, count: 1000 })) {
    const hashes = keys.filter((key) => /:(path|url|content)-[0-9a-f]{40}$/.test(key));
    const counts = await Promise.all(hashes.map((key) => client.hget(key, 'ats')));
    for (const count of counts) starts += Number(count ?? 0);
  }
  return starts;
}

export function rowsIn(file) {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
