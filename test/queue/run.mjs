// npm run test:queue: workers of queues, with real servers, files, signals and partitions. Ends with "N passed, N failed".
//   --quick      1,000 jobs in place of 10,000, and fewer misfortunes, as in npm test
//   --only text  the checks with this text in their names
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { finish } from '../support/finish.mjs';

import * as checks from './checks.mjs';
import { canPartition, partition } from './network.mjs';
import { programs } from './programs.mjs';
import { PostgresServer, RedisServer } from './servers.mjs';
import { storm } from './storm.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    report: { type: 'string' },
  },
});
const isQuick = options.quick;

/** Each with its obstacle, if there is one on this machine, and whether it is part of the quick form. */
const all = [
  { name: 'poison images fail alone and at once', check: checks.poison },
  { name: 'what cannot work is said at the start', check: checks.starts },
  { name: 'dead letters are listed and retried', check: checks.dead },
  { name: 'SIGTERM hands back what it holds', check: checks.sigterm },
  { name: 'content goes through Redis', check: checks.content },
  { name: 'an enqueue that is killed is resumed', check: checks.resumed },
  { name: 'signed URLs, allowed by prefix', check: checks.urls },
  {
    name: 'rows of PostgreSQL',
    check: checks.postgres,
    obstacle: () => (PostgresServer.programs() === undefined ? 'PostgreSQL is not installed' : undefined),
  },
  // Three locks must pass: half a minute.
  { name: 'an image that ends its worker', check: checks.killer, isLong: true },
  {
    name: isQuick
      ? '1,000 jobs, kill -9, a restart of Redis, a partition of 10 s'
      : '10,000 jobs, three kill -9, a restart of Redis, a partition of 10 s',
    check: storm,
  },
  {
    name: 'a link that is taken down for 10 s',
    check: partition,
    obstacle: () => (isQuick ? 'only in the long form' : canPartition()),
    isLong: true,
  },
  { name: 'the programs of docs/queues.md', check: programs },
  { name: 'no password is printed', check: checks.secret },
];

const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };
const skippedNames = [];
const start = performance.now();
const chosen = all.filter(({ name, isLong }) => name.includes(options.only) && !(isQuick && isLong === true));

if (RedisServer.isInstalled()) {
  const folder = mkdtempSync(join(tmpdir(), 'ghostnet-queue-'));
  const redis = await RedisServer.start(join(folder, 'redis'));
  try {
    for (const { name, check, obstacle } of chosen) {
      const reason = obstacle?.();
      if (reason !== undefined) {
        totals.skipped += 1;
        skippedNames.push(`${name}: ${reason}`);
        continue;
      }
      const begin = performance.now();
      const seconds = () => `${((performance.now() - begin) / 1000).toFixed(0)} s`;
      try {
        const text = await check({ redis, folder, isQuick });
        totals.passed += 1;
        console.log(`  ok      ${name} (${seconds()})\n          ${text}`);
      } catch (error) {
        totals.failed += 1;
        totals.failures.push(`${name}: ${error.message}`);
        console.log(`  FAILED  ${name} (${seconds()})\n          ${error.stack}`);
      }
    }
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
} else {
  totals.skipped += 1;
  skippedNames.push('workers of queues: redis-server is not installed');
}

if (skippedNames.length > 0) console.log(`\nSkipped:\n${skippedNames.map((name) => `  ${name}`).join('\n')}`);
finish(totals, { report: options.report, start, mayBeSkipped: true });
